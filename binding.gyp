# Hands over to the CMake build, for node-gyp, node-gyp-build and prebuildify: what it makes lies in build/Release, where they look for it.
{
  "targets": [
    {
      "target_name": "r1_native",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "message": "Building r1_native.node with CMake",
          "inputs": [],
          # Never made, so that the CMake build, which knows what is out of date, is always asked.
          "outputs": ["<(module_root_dir)/build/always"],
          "action": ["node", "<(module_root_dir)/scripts/build.mjs"],
        },
      ],
    },
  ],
}
