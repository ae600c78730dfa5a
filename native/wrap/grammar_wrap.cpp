// GrammarWrap: the contract's NativeGrammar. JavaScript thread; compiling runs on a separate
// thread.
#include "wrap/grammar_wrap.h"

#include "napi/async_job.h"
#include "napi/fields.h"
#include "napi/reaper.h"
#include "wrap/environment.h"

namespace r1 {
namespace {

constexpr std::chrono::seconds longest_compile{10};

}  // namespace

Napi::Function GrammarWrap::define(Napi::Env env) {
    return DefineClass(env, "NativeGrammar", {InstanceMethod<&GrammarWrap::source>("source")});
}

GrammarWrap::GrammarWrap(const Napi::CallbackInfo & info) : Napi::ObjectWrap<GrammarWrap>(info) {
    if (!info[0].IsExternal()) {
        throw Napi::TypeError::New(info.Env(), "A NativeGrammar is made by compileGrammar().");
    }
    parts_ = *info[0].As<Napi::External<Parts>>().Data();
}

// The last share of a model must not be freed on the JavaScript thread.
GrammarWrap::~GrammarWrap() {
    if (parts_.model != nullptr) {
        reaper::post([parts = std::move(parts_)]() mutable {
            parts.grammar.reset();
            parts.model.reset();
        });
    }
}

Napi::Value GrammarWrap::make(Napi::Env env, Parts parts) {
    return Environment::of(env).grammar_class.New({Napi::External<Parts>::New(env, &parts)});
}

Napi::Value GrammarWrap::compile(const Napi::CallbackInfo & info,
                                 const std::shared_ptr<Model> & model) {
    const Napi::Env env = info.Env();
    std::string text = text_of(info[0], "text");
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    return run_async<std::shared_ptr<Grammar>>(
        env, "r1.grammar.compile",
        [model, text = std::move(text), cancelled] {
            if (const auto known = model->grammars().find(text)) {
                return known;
            }
            const CompileLimits limits{cancelled.get(),
                                       std::chrono::steady_clock::now() + longest_compile};
            return model->grammars().add(Grammar::compile(model->vocab(), text, limits));
        },
        [model](Napi::Env at, std::shared_ptr<Grammar> & grammar) -> Napi::Value {
            return make(at, {model, std::move(grammar)});
        },
        {[cancelled] { cancelled->store(true); }});
}

Napi::Value GrammarWrap::known(const Napi::CallbackInfo & info,
                               const std::shared_ptr<Model> & model) {
    std::shared_ptr<Grammar> grammar = model->grammars().find(text_of(info[0], "text"));
    return grammar == nullptr ? info.Env().Null() : make(info.Env(), {model, std::move(grammar)});
}

std::shared_ptr<Grammar> GrammarWrap::grammar_of(const Napi::Value & value) {
    const Napi::Env env = value.Env();
    if (value.IsNull()) return nullptr;
    if (!value.IsObject() ||
        !value.As<Napi::Object>().InstanceOf(Environment::of(env).grammar_class.Value())) {
        throw Napi::TypeError::New(env, "Expected a NativeGrammar or null for `request.grammar`.");
    }
    return Unwrap(value.As<Napi::Object>())->parts_.grammar;
}

Napi::Value GrammarWrap::source(const Napi::CallbackInfo & info) {
    return Napi::String::New(info.Env(), parts_.grammar->source());
}

}  // namespace r1
