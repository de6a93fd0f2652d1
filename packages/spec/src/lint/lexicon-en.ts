import type { Lexicon } from "../facts/find-words.ts";

/** English words as regular expressions; they are matched as whole words in any case unless `exact` is set. */
export const englishLexicon: Lexicon = {
  undecided: [
    { words: "TBD|FIXME|TODO|XXX", exact: true, unless: { after: "[ -](?:list|item|app|entr|card|board)" }, negatable: true },
    { words: "similar to S\\d+|like S\\d+ does|same as (?:above|before|S\\d+)|as (?:described )?above|see above" },
    { words: "probably|presumably|I assume|I guess|I think|we assume|not sure|to be (?:decided|defined|determined|confirmed|specified)|up to you" },
    { words: "maybe|perhaps", unless: { after: "(?:Of|T|<)" } },
  ],
  person: [
    { words: "visually|with the naked eye|by eye|eyeball" },
    { words: "open(?:s|ed|ing)?(?: [\\w./-]+){0,4} in (?:a |the |your |any )?(?:web )?browser" },
    {
      words:
        "(?:the )?(?:user|human|person|lead|owner|reviewer|somebody|someone|customer|designer) (?:confirms?|approves?|verif(?:y|ies)|checks?|agrees?|is happy)",
    },
    { words: "ask (?:the )?(?:user|human|lead|owner)|looks (?:good|right|correct|fine|ok|nice)" },
  ],
  personUnlessCommand: [{ words: "manual(?:ly)?|by hand" }],
  vague: [
    { words: "fast|faster", unless: { before: "(?:fail[ -]|hold )", after: "[- ]?(?:path|forward|check|api|ify|lane|track|fail)" } },
    { words: "quick|quickly", unless: { after: "[- ]?(?:start|fix|sort|check)" } },
    { words: "robust|robustly|robustness|graceful|gracefully|appropriate|appropriately|suitable|suitably|seamless|seamlessly|intuitive|intuitively" },
    { words: "proper|properly", unless: { after: " (?:subset|superset|noun|name|fraction|divisor)" } },
    { words: "user[- ]friendly|performant|responsive|acceptable|acceptably|reasonable|reasonably|adequate|adequately" },
    {
      words: "efficient|efficiently|scalable|high[- ]quality|state[- ]of[- ]the[- ]art|clean code|best practices?|as (?:fast|small|good) as possible",
    },
    { words: "works? (?:correctly|well|fine|as expected)|behaves? (?:correctly|well|as expected)" },
  ],
  severalGoals: [
    {
      words:
        "and also|and additionally|in addition|additionally|furthermore|besides that|as a second step|while (?:you are|we are|we're) at it|and then also",
    },
  ],
  failure: [
    { words: "reject\\w*|refus\\w*|fail(?!-fast)\\w*|invalid\\w*|malformed|illegal|bad|wrong|broken|corrupt\\w*|unreadable", negatable: true },
    {
      words: "errors?|exceptions?|throws?|raises?|panics?|crash\\w*|warns?|warning",
      negatable: true,
      unless: { after: " (?:rates?|budgets?|levels?)" },
    },
    {
      words:
        "missing|absent|empty|blank|unknown|unexpected|nothing|none|null|undefined|nonexistent|not found|no such|without (?!error|fail|warn|problem|change)",
    },
    { words: "(?:does|do|did|is|are|was|were|can|could|may|must|has|have)(?:n't| not| never)|cannot|never|no longer|nobody|no one" },
    {
      words:
        "denied|forbidden|unauthori[sz]ed|unauthenticated|blocked|prevented|locked|revoked|expired?|stale|past|cancel\\w*|aborts?|aborted|interrupt\\w*",
    },
    {
      words:
        "too (?:many|much|few|large|long|short|big|small|old|deep)|exceed\\w*|(?:over|above|beyond|the) limit|overflow\\w*|out of range|at most|boundary|edges?|negative|zero",
    },
    {
      words:
        "duplicat\\w*|twice|again|conflicts?|collid\\w*|collisions?|retr(?:y|ies|ied)|timeouts?|times? out|offline|unreachable|down|lost|roll(?:s|ed)? back|rollback",
    },
    { words: "skip(?:s|ped)?|ignored?|dropped|escaped|injection|traversal|unicode|leap" },
    { words: "(?:HTTP )?(?:4\\d\\d|5\\d\\d|4xx|5xx)|exit (?:code )?[1-9]\\d*|non-?zero" },
  ],
};

/** What turns a word around when it stands shortly before it. */
export const englishNegation = /\b(?:(?:no|not|without|never|nor|free of)\s+(?:[\w,/-]+\s+(?:or\s+)?){0,3}|(?:any|zero|0)\s+)$/i;
