import { describe, expect, test } from "vitest";
import { findForge, forgeAddress } from "./forge-address.ts";

describe("the address of a repository at a forge", () => {
  test.each([
    ["https://github.com/acme/shop.git", "github.com", "acme/shop", "gh"],
    ["https://ada:secret@github.com/acme/shop/", "github.com", "acme/shop", "gh"],
    ["git@github.com:acme/shop.git", "github.com", "acme/shop", "gh"],
    ["github.com:acme/shop", "github.com", "acme/shop", "gh"],
    ["ssh://git@github.acme.dev:2222/acme/shop.git", "github.acme.dev", "acme/shop", "gh"],
    ["https://gitlab.com/acme/web/shop.git", "gitlab.com", "acme/web/shop", "glab"],
    ["git@gitlab.acme.dev:/acme/shop.git", "gitlab.acme.dev", "acme/shop", "glab"],
    ["https://code.acme.dev:8443/acme/shop.js", "code.acme.dev:8443", "acme/shop.js", undefined],
    ["https://notgithub.dev/acme/shop", "notgithub.dev", "acme/shop", undefined],
  ])("%s", (repo, host, path, forge) => {
    expect(forgeAddress(repo)).toEqual({ host, path });
    expect(findForge(repo)).toBe(forge);
  });

  test.each(["/home/ada/github.com/shop", "../shop", "file:///srv/shop.git", "https://github.com/shop", "git@github.com:shop.git"])(
    "%s is none",
    (repo) => {
      expect(forgeAddress(repo)).toBeUndefined();
      expect(findForge(repo)).toBeUndefined();
    },
  );
});
