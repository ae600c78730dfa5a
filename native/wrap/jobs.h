// The addon's process-wide functions: start and end, devices, versions, quantising, copying.
// JavaScript thread; quantising and copying run on separate threads.
#pragma once

#include <napi.h>

#include <vector>

#include "core/backend/backend.h"

namespace r1::jobs {

Napi::Value initialize(const Napi::CallbackInfo & info);
Napi::Value start(const Napi::CallbackInfo & info);
Napi::Value end_threads(const Napi::CallbackInfo & info);
Napi::Value llama_version_text(const Napi::CallbackInfo & info);
Napi::Value system_info(const Napi::CallbackInfo & info);
Napi::Value devices(const Napi::CallbackInfo & info);
Napi::Value devices_to_js(Napi::Env env, const std::vector<backend::Device> & devices);
Napi::Value backends(const Napi::CallbackInfo & info);
Napi::Value load_backend(const Napi::CallbackInfo & info);
Napi::Value load_backend_now(const Napi::CallbackInfo & info);
Napi::Value try_backend(const Napi::CallbackInfo & info);
Napi::Value try_model(const Napi::CallbackInfo & info);
Napi::Value create_cancel_token(const Napi::CallbackInfo & info);
Napi::Value quantize_file(const Napi::CallbackInfo & info);
Napi::Value copy_file_bytes(const Napi::CallbackInfo & info);
Napi::Value row_bytes_of(const Napi::CallbackInfo & info);
Napi::Value measure_memory(const Napi::CallbackInfo & info);

}  // namespace r1::jobs
