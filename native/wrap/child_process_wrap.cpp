// The contract's startChild and reapChild. JavaScript thread; neither waits for the child.
#include "wrap/child_process_wrap.h"

#include "core/platform/child_process.h"
#include "napi/error.h"
#include "napi/fields.h"

namespace r1::child_process_wrap {

Napi::Value start(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    if (!child_process::is_supported()) {
        return env.Null();
    }
    return guarded(env, [&]() -> Napi::Value {
        const Fields program(info[0], "program");
        const child_process::Child child = child_process::start(
            program.text("file"), program.texts("arguments"), program.texts("environment"));
        Napi::Object made = Napi::Object::New(env);
        made.Set("pid", child.pid);
        made.Set("errors", child.errors);
        made.Set("link", child.link);
        return made;
    });
}

Napi::Value reap(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsNumber()) {
        throw Napi::TypeError::New(env, "Expected a process id.");
    }
    const auto end = child_process::reap(info[0].As<Napi::Number>().Int32Value());
    if (!end) {
        return env.Null();
    }
    Napi::Object made = Napi::Object::New(env);
    made.Set("code", end->code);
    made.Set("signal", end->signal);
    return made;
}

}  // namespace r1::child_process_wrap
