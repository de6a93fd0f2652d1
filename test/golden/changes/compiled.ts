import type { ChangeCase } from "./case.ts";

const at = (path: string, ...lines: number[]) => lines.map((line) => ({ gate: "G02", path, line }) as const);

/** Go, Rust, Java, Kotlin, Swift and C#. */
export const compiledCases: readonly ChangeCase[] = [
  {
    name: "stubs that panic",
    language: "go",
    before: {},
    after: { "store.go": 'package store\n\nfunc Save(p Post) error {\n\tpanic("not implemented")\n}\n\nfunc Load() Post {\n\tpanic("TODO")\n}\n\nfunc Drop() {\n\tpanic("implement me")\n}\n\n// FIXME: close the file\nfunc Close() error { return errors.New("not implemented yet") }\n' },
    expect: at("store.go", 4, 8, 12, 15, 16),
  },
  {
    name: "functions that are given something and do nothing with it",
    language: "go",
    before: {},
    after: {
      "store.go": "package store\n\nfunc (s *Store) Save(p Post) {\n}\n\nfunc Notify(users []User, text string) {}\n",
      "src/lib.rs": "impl Store for Db {\n    fn save(&mut self, post: Post) {}\n}\n\npub fn notify(users: &[User], text: &str) {\n}\n",
    },
    expect: [...at("src/lib.rs", 2, 5), ...at("store.go", 3, 6)],
  },
  {
    name: "a body emptied whose last line the diff does not show, and a head changed above its body",
    language: "java",
    before: { "src/Store.java": "class Store {\n    int load(int id) {\n        return id;\n    }\n\n    void save(int value) {\n        check(value);\n        store(value);\n    }\n}\n" },
    after: { "src/Store.java": "class Store {\n    void load(int id) {\n    }\n\n    void save(long value) {\n        store(value);\n    }\n}\n" },
    expect: at("src/Store.java", 2),
  },
  {
    name: "functions that do nothing on purpose",
    language: "go",
    before: {},
    after: {
      "store.go": "package store\n\nfunc (nopWriter) Write(p Post) {}\n\nfunc (s *noopStore) Save(p Post) {}\n\nfunc discard(_ Post) {}\n\nfunc (l *quiet) Debugf(format string, args ...any) {}\n\nfunc (s *Store) Touch() {}\n\nfunc (s *Store) Warm(p Post) {\n\t// The store in memory is always warm.\n}\n",
      "src/lib.rs": "pub trait Visitor {\n    fn visit(&mut self, post: &Post) {}\n}\n\nimpl Log for NullLog {\n    fn write(&self, record: &Record) {}\n}\n\nfn drop_it(_post: Post) {}\n\nimpl Cache for Direct {\n    fn put(&self, _key: &str, _value: &str) {}\n    fn clear(&self) {}\n}\n",
    },
    expect: [],
  },
  {
    name: "panics, empty marker methods and context.TODO",
    language: "go",
    before: {},
    after: { "node.go": 'package node\n\nfunc (*Leaf) isNode() {}\n\nfunc Must(err error) {\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\tpanic("unreachable")\n}\n\nvar ctx = context.TODO()\nvar dir = "/tmp/x.XXXXXX"\n' },
    expect: [],
  },
  {
    name: "macros of unfinished work",
    language: "rust",
    before: {},
    after: { "src/lib.rs": 'pub fn save(post: &Post) -> Result<()> {\n    todo!()\n}\npub fn load() -> Post {\n    unimplemented!("later")\n}\nfn f() { panic!("not implemented") }\n' },
    expect: at("src/lib.rs", 2, 5, 7),
  },
  {
    name: "macros in documentation, unreachable and lifetimes",
    language: "rust",
    before: {},
    after: { "src/lib.rs": "/// ```\n/// fn main() { todo!() }\n/// ```\npub fn name<'a>(post: &'a Post) -> &'a str {\n    match post { Some(p) => p, None => unreachable!() }\n}\nfn main() {}\nimpl Drop for Guard { fn drop(&mut self) {} }\nconst TODO_PATH: &str = \"todos\";\n" },
    expect: [],
  },
  {
    name: "exceptions of unfinished work and an empty method",
    language: "java",
    before: {},
    after: {
      "src/Store.java": `class Store {
    public Post load(long id) {
        throw new UnsupportedOperationException("Not implemented");
    }
    public Post find() { throw new UnsupportedOperationException("Not supported yet."); }
    Post peek() { throw new NotImplementedException(); }
    public void save(Post post) {
        // TODO Auto-generated method stub
    }
    public void remove(long id) {
    }
}
`,
    },
    expect: at("src/Store.java", 3, 5, 6, 8, 10),
  },
  {
    name: "immutable collections, hooks and constructors",
    language: "java",
    before: {},
    after: {
      "src/Fixed.java": `class Fixed extends AbstractList<Post> {
    private Fixed() {}
    public void add(int i, Post p) { throw new UnsupportedOperationException(); }
    @Override
    public void onClosed(Event e) {}
    public void removeAll() { throw new UnsupportedOperationException("immutable"); }
    protected void configure(Builder b) {}
    private static final String NULL = null;
    @interface Marker {}
    // see the TODO list in the wiki
}
`,
    },
    expect: [],
  },
  {
    name: "TODO() and what is not it",
    language: "kotlin",
    before: {},
    after: { "Store.kt": 'class Store {\n    fun load(): Post = TODO()\n    fun save(p: Post) { TODO("Not yet implemented") }\n    fun drop() = throw NotImplementedError()\n    fun clearAll(p: Post) {}\n    override fun onClick() {}\n    val state = State.TODO\n    companion object {}\n}\n' },
    expect: at("Store.kt", 2, 3, 4, 5),
  },
  {
    name: "fatal errors of unfinished work, and the one of Xcode",
    language: "swift",
    before: {},
    after: {
      "Store.swift": `final class Store {
    func load() -> Post { fatalError("not implemented") }
    func save() -> Bool {
        fatalError()
    }
    func drop(id: Int) {}
    func wipe() { preconditionFailure("TODO") }
    required init?(coder: NSCoder) {
        fatalError("init(coder:) has not been implemented")
    }
    func check() {
        guard ready else { fatalError("the store is closed") }
    }
    override func viewDidLoad() {}
    deinit {}
}
`,
    },
    expect: at("Store.swift", 2, 4, 6, 7),
  },
  {
    name: "NotImplementedException and what is not it",
    language: "csharp",
    before: {},
    after: {
      "Store.cs": `public class Store
{
    public Store() { }
    public Post Load(int id) => throw new NotImplementedException();
    public Post Find()
    {
        throw new System.NotImplementedException();
    }
    public void Save(Post post)
    {
    }
    public override void OnClose() { }
    public int Count { get; set; }
    void Run() { try { Go(); } catch (NotImplementedException) { Log(); } }
    public void Add() => throw new NotSupportedException();
}
`,
    },
    expect: at("Store.cs", 4, 7, 10),
  },
  {
    name: "doubles in test folders, and defaults of a delegate protocol",
    language: "csharp",
    before: {},
    after: {
      "src/Posts.UnitTests/FakeStore.cs": "class FakeStore : IStore {\n    public void Save(Post p) { }\n    public Post Load() => throw new NotImplementedException();\n}\n",
      "src/Replace.cs": "class Replace {\n    string Run(string v) => Json.Parse(@\"{x: XXX}\".Replace(\"XXX\", v));\n}\n",
      "tests/fail.stderr": "help: the trait `Extract` is not implemented for `Payload`\n",
      "src/host.ts": "class Controller {\n  hostConnected() {}\n}\n",
      "Monitor.swift": "public extension EventMonitor {\n    func request(_ request: Request, result: Int) {}\n}\nclass A {\n    func session(_ session: Session, didBecomeInvalid error: Error?) {}\n}\n",
    },
    expect: [],
  },
];
