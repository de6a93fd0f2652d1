import type { FactoryEvent, SessionIdentity, TaskSpec, WrapperFact } from "@dispatch/core";
/** A spec with everything but its id left at a plain value. */
export declare function aSpec(id: string, change?: Partial<TaskSpec>): TaskSpec;
export declare function planned(spec: TaskSpec): FactoryEvent;
export declare const someIdentity: SessionIdentity;
export declare function reported(attempt: string, seq: number, fact: WrapperFact, reportedAt?: number): FactoryEvent;
/** A commit id that is easy to tell from others. */
export declare function anOid(n: number): string;
