// A native addon is not bundled.
export default { serverExternalPackages: ["r1-native"] };
