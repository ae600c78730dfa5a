// The manifests of the packages that are published.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  gpuManifest,
  mainManifest,
  platformManifest,
  repositoryFields,
} from "../../scripts/packages/manifests.mjs";
import { ALL_TARGETS, PLATFORMS, targetOf } from "../../scripts/packages/targets.mjs";
import type { Manifest, Target } from "../../scripts/packages/targets.mjs";

const root = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as Manifest;

const target = (name: string): Target => {
  const found = targetOf(name);
  if (found === undefined) throw new Error(name);
  return found;
};

const REPOSITORY = { GITHUB_SERVER_URL: "https://host.example", GITHUB_REPOSITORY: "owner/name" };

describe("the main package", () => {
  it("runs nothing when it is installed, and neither does a clone's addon by node-gyp", () => {
    const made = mainManifest(root, []);
    expect(made).not.toHaveProperty("scripts");
    expect(made).not.toHaveProperty("devDependencies");
    expect(made.gypfile).toBe(false);
    expect(Object.keys(root.scripts ?? {})).not.toContain("install");
  });

  it("pins each platform's package exactly, and no GPU backend's", () => {
    const made = mainManifest(root, Object.keys(PLATFORMS));
    expect(made.optionalDependencies).toEqual(
      Object.fromEntries(
        Object.keys(PLATFORMS).map((name) => [`@r1-native/${name}`, root.version]),
      ),
    );
  });

  it("names the repository that it is published from, and none where that is unknown", () => {
    expect(mainManifest(root, [], repositoryFields(REPOSITORY))).toMatchObject({
      repository: { type: "git", url: "git+https://host.example/owner/name.git" },
      bugs: { url: "https://host.example/owner/name/issues" },
      homepage: "https://host.example/owner/name#readme",
    });
    expect(repositoryFields({})).toEqual({});
    expect(() => repositoryFields({ R1_REPOSITORY: "name" })).toThrow(/R1_REPOSITORY/);
  });
});

describe("a platform's package", () => {
  it("is installed only on its platform and C library", () => {
    expect(platformManifest(root, target("linux-arm64-musl"))).toMatchObject({
      name: "@r1-native/linux-arm64-musl",
      version: root.version,
      os: ["linux"],
      cpu: ["arm64"],
      libc: ["musl"],
      preferUnplugged: true,
    });
    expect(platformManifest(root, target("win32-x64"))).not.toHaveProperty("libc");
  });

  it("says which glibc it needs", () => {
    expect(platformManifest(root, target("linux-x64"), { glibc: "2.28" }).config).toEqual({
      glibc: ">=2.28",
    });
  });
});

describe("a GPU backend's package", () => {
  it("belongs to one version of r1-native", () => {
    expect(gpuManifest(root, target("linux-x64-cuda13"))).toMatchObject({
      name: "@r1-native/linux-x64-cuda13",
      peerDependencies: { "r1-native": root.version },
      os: ["linux"],
    });
  });
});

describe("targetOf", () => {
  it("knows every package by its name, and no other name", () => {
    expect(ALL_TARGETS.map((name) => targetOf(name)?.name)).toEqual(ALL_TARGETS);
    expect(targetOf("linux-x64-cuda11")).toBeUndefined();
    expect(targetOf("darwin-x64-vulkan")).toBeUndefined();
    expect(targetOf("")).toBeUndefined();
  });
});
