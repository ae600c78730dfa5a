// Reads the contract's NativeModelConfig. JavaScript thread.
#pragma once

#include <napi.h>

#include <vector>

#include "core/backend/model.h"
#include "napi/fields.h"

namespace r1 {

/** Throws a TypeError on a missing or wrong field. */
ModelConfig model_config_of(const Napi::Value & value);

/** Reads a list of `{ key, kind, value }`. */
std::vector<MetadataOverride> metadata_overrides_of(const Fields & fields, const char * name);

}  // namespace r1
