/** What a heap orders, and where in each item its place is kept. */
export interface HeapKind<T> {
  before(a: T, b: T): boolean;
  placeOf(item: T): number;
  setPlace(item: T, place: number): void;
}

/** A binary heap whose items know their places, so that any of them can be moved or taken out in log n. */
export interface Heap<T> {
  items: T[];
  kind: HeapKind<T>;
}

export function createHeap<T>(kind: HeapKind<T>): Heap<T> {
  return { items: [], kind };
}

export function heapPush<T>(heap: Heap<T>, item: T): void {
  heap.items.push(item);
  siftUp(heap, item, heap.items.length - 1);
}

/** Takes an item out; it has to be in the heap. */
export function heapRemove<T>({ items, kind }: Heap<T>, item: T): void {
  const place = kind.placeOf(item);
  kind.setPlace(item, -1);
  const last = items.pop();
  if (last === undefined || last === item) return;
  siftDown({ items, kind }, last, place);
  if (kind.placeOf(last) === place) siftUp({ items, kind }, last, place);
}

/** Moves an item whose order has changed to where it belongs now. */
export function heapFix<T>(heap: Heap<T>, item: T): void {
  const place = heap.kind.placeOf(item);
  siftDown(heap, item, place);
  if (heap.kind.placeOf(item) === place) siftUp(heap, item, place);
}

function siftUp<T>({ items, kind }: Heap<T>, item: T, from: number): void {
  let place = from;
  while (place > 0) {
    const up = (place - 1) >> 1;
    const parent = items[up] as T;
    if (!kind.before(item, parent)) break;
    items[place] = parent;
    kind.setPlace(parent, place);
    place = up;
  }
  items[place] = item;
  kind.setPlace(item, place);
}

function siftDown<T>({ items, kind }: Heap<T>, item: T, from: number): void {
  let place = from;
  for (;;) {
    let down = 2 * place + 1;
    if (down >= items.length) break;
    if (down + 1 < items.length && kind.before(items[down + 1] as T, items[down] as T)) down++;
    const child = items[down] as T;
    if (!kind.before(child, item)) break;
    items[place] = child;
    kind.setPlace(child, place);
    place = down;
  }
  items[place] = item;
  kind.setPlace(item, place);
}
