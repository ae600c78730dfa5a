// The addon's checks of a vocabulary's strings. JavaScript thread; the checks run on separate
// threads.
#include "wrap/vocabulary_check_wrap.h"

#include <memory>
#include <random>

#include "core/text/vocabulary_check.h"
#include "napi/async_job.h"
#include "napi/error.h"

namespace r1::jobs {
namespace {

// Keeps both arrays of a table alive. Made and destroyed on the JavaScript thread.
struct HeldTable {
    Napi::Reference<Napi::Uint8Array> bytes;
    Napi::Reference<Napi::Uint32Array> starts;
    StringTable table;
};

std::shared_ptr<HeldTable> table_of(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    const auto is = [](const Napi::Value & value, napi_typedarray_type type) {
        return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
    };
    if (!is(info[0], napi_uint8_array)) {
        throw Napi::TypeError::New(env, "Expected a Uint8Array for `bytes`.");
    }
    if (!is(info[1], napi_uint32_array)) {
        throw Napi::TypeError::New(env, "Expected a Uint32Array for `starts`.");
    }
    const auto bytes = info[0].As<Napi::Uint8Array>();
    const auto starts = info[1].As<Napi::Uint32Array>();
    if (bytes.ByteLength() > UINT32_MAX || starts.ElementLength() > UINT32_MAX) {
        throw Napi::TypeError::New(env, "A table of strings takes less than 4 GiB.");
    }
    auto held = std::make_shared<HeldTable>();
    held->table = {bytes.Data(), static_cast<uint32_t>(bytes.ByteLength()), starts.Data(),
                   static_cast<uint32_t>(starts.ElementLength())};
    if (!is_sound(held->table)) {
        throw Napi::TypeError::New(
            env, "The `starts` of a table of strings lie in order within its bytes.");
    }
    held->bytes = Napi::Persistent(bytes);
    held->starts = Napi::Persistent(starts);
    return held;
}

}  // namespace

Napi::Value find_equal_strings(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        using Found = std::optional<std::pair<uint32_t, uint32_t>>;
        return run_async<Found>(
            env, "r1.vocabulary",
            [held = table_of(info), seed = static_cast<uint32_t>(std::random_device{}())] {
                return first_equal(held->table, seed);
            },
            [](Napi::Env at, Found & found) -> Napi::Value {
                if (!found) {
                    return at.Null();
                }
                const Napi::Array pair = Napi::Array::New(at, 2);
                pair.Set(0u, found->first);
                pair.Set(1u, found->second);
                return pair;
            });
    });
}

Napi::Value find_no_pair(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        using Found = std::optional<uint32_t>;
        return run_async<Found>(
            env, "r1.vocabulary", [held = table_of(info)] { return first_no_pair(held->table); },
            [](Napi::Env at, Found & found) -> Napi::Value {
                return found ? Napi::Number::New(at, *found) : at.Null();
            });
    });
}

}  // namespace r1::jobs
