# Stands where node-gyp expects Node's own build settings.
{ "target_defaults": {}, "variables": {} }
