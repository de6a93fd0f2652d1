import { factoryPaths } from "@dispatch/protocol";
import { plain } from "./compose-unit.ts";
import { type Service, serviceMarker } from "./describe-service.ts";

/** A launchd job that keeps a daemon running; sessions of agents are left alone when it ends (AbandonProcessGroup). */
export function composePlist({ scope, name, factory, dispatch, user, path }: Service): string {
  const log = `${factory}/${factoryPaths.state}/service.log`;
  const entries: [string, string][] = [
    ["Label", string(name)],
    ...(scope === "system" ? [["UserName", string(user)] as [string, string]] : []),
    ["ProgramArguments", `<array>${[...dispatch, "up", "--factory", factory].map((word) => `\n    ${string(word)}`).join("")}\n  </array>`],
    ["WorkingDirectory", string(factory)],
    ["EnvironmentVariables", `<dict>\n    <key>PATH</key>\n    ${string(path)}\n  </dict>`],
    ["RunAtLoad", "<true/>"],
    ["KeepAlive", "<true/>"],
    ["ThrottleInterval", "<integer>5</integer>"],
    ["AbandonProcessGroup", "<true/>"],
    ["ExitTimeOut", "<integer>60</integer>"],
    ["StandardOutPath", string(log)],
    ["StandardErrorPath", string(log)],
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${serviceMarker}; dispatch service uninstall removes it. -->
<plist version="1.0">
<dict>
${entries.map(([key, value]) => `  <key>${key}</key>\n  ${value}`).join("\n")}
</dict>
</plist>
`;
}

function string(text: string): string {
  return `<string>${plain(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")}</string>`;
}
