// Resolves a file of each platform's package. CommonJS: bundlers' tracers follow a literal
// `require.resolve` only there. In `try`, because a bundler that cannot find a package then warns
// instead of failing.
// @ts-check

/**
 * Returns the path of the addon in the package of a platform; undefined if it is not installed.
 * Tracers copy all libraries of a package in which they find an addon.
 *
 * @param {string} platform
 * @returns {string | undefined}
 */
function addon(platform) {
  try {
    switch (platform) {
      case "linux-x64":
        return require.resolve("@r1-native/linux-x64/r1-native.node");
      case "linux-arm64":
        return require.resolve("@r1-native/linux-arm64/r1-native.node");
      case "linux-x64-musl":
        return require.resolve("@r1-native/linux-x64-musl/r1-native.node");
      case "linux-arm64-musl":
        return require.resolve("@r1-native/linux-arm64-musl/r1-native.node");
      case "darwin-x64":
        return require.resolve("@r1-native/darwin-x64/r1-native.node");
      case "darwin-arm64":
        return require.resolve("@r1-native/darwin-arm64/r1-native.node");
      case "win32-x64":
        return require.resolve("@r1-native/win32-x64/r1-native.node");
      case "win32-arm64":
        return require.resolve("@r1-native/win32-arm64/r1-native.node");
    }
  } catch {
    // It is not installed.
  }
  return undefined;
}

/**
 * Returns the path of the manifest of a GPU package; undefined if it is not installed.
 *
 * @param {string} name
 * @returns {string | undefined}
 */
function gpuManifest(name) {
  try {
    switch (name) {
      case "linux-x64-cuda13":
        return require.resolve("@r1-native/linux-x64-cuda13/package.json");
      case "linux-x64-cuda12":
        return require.resolve("@r1-native/linux-x64-cuda12/package.json");
      case "linux-x64-vulkan":
        return require.resolve("@r1-native/linux-x64-vulkan/package.json");
      case "linux-arm64-cuda13":
        return require.resolve("@r1-native/linux-arm64-cuda13/package.json");
      case "linux-arm64-vulkan":
        return require.resolve("@r1-native/linux-arm64-vulkan/package.json");
      case "win32-x64-cuda13":
        return require.resolve("@r1-native/win32-x64-cuda13/package.json");
      case "win32-x64-cuda12":
        return require.resolve("@r1-native/win32-x64-cuda12/package.json");
      case "win32-x64-vulkan":
        return require.resolve("@r1-native/win32-x64-vulkan/package.json");
    }
  } catch {
    // It is not installed.
  }
  return undefined;
}

module.exports = { addon, gpuManifest };
