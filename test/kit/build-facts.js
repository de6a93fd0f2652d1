/** A spec with everything but its id left at a plain value. */
export function aSpec(id, change = {}) {
    return {
        id,
        project: "shop",
        title: id,
        type: "feature",
        priority: 2,
        dependsOn: [],
        after: [],
        modifies: [`src/${id}.ts`],
        creates: [],
        deletes: [],
        forbids: [],
        reads: [],
        verify: [],
        executor: "auto",
        estimateMinutes: 10,
        timeoutMinutes: 30,
        attempts: 4,
        allowEmpty: false,
        commit: `feat(shop): ${id}`,
        goal: `Change src/${id}.ts`,
        labels: [],
        ...change,
    };
}
export function planned(spec) {
    return {
        type: "task-planned",
        task: `${spec.project}/${spec.id}`,
        spec,
        digest: `digest-${spec.id}`,
        text: `# ${spec.id}\n`,
        path: `specs/${spec.project}/${spec.id}.md`,
    };
}
export const someIdentity = { bootId: "boot", tmuxStart: 1, pid: 100, pidStart: "7", token: "token" };
export function reported(attempt, seq, fact, reportedAt = seq) {
    return { type: "wrapper-reported", attempt, seq, reportedAt, fact };
}
/** A commit id that is easy to tell from others. */
export function anOid(n) {
    return n.toString(16).padStart(40, "0");
}
//# sourceMappingURL=build-facts.js.map