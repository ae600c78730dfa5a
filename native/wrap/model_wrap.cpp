// ModelWrap: the contract's NativeModel. Its synchronous methods run on the JavaScript thread,
// loading and freeing on separate threads.
#include "wrap/model_wrap.h"

#include "napi/async_job.h"
#include "napi/event_channel.h"
#include "napi/reaper.h"
#include "wrap/cancel_token_wrap.h"
#include "wrap/environment.h"
#include "wrap/grammar_wrap.h"
#include "wrap/model_config.h"
#include "wrap/tokenize_wrap.h"

namespace r1 {
namespace {

const char * kind_name(llama_token_attr attr) {
    if ((attr & LLAMA_TOKEN_ATTR_CONTROL) != 0) return "control";
    return (attr & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0 ? "user-defined" : "unknown";
}

Napi::Int32Array ids_to_js(Napi::Env env, const std::vector<int32_t> & ids) {
    Napi::Int32Array array = Napi::Int32Array::New(env, ids.size());
    std::copy(ids.begin(), ids.end(), array.Data());
    return array;
}

}  // namespace

Napi::Function ModelWrap::define(Napi::Env env) {
    return DefineClass(
        env, "NativeModel",
        {
            InstanceMethod<&ModelWrap::info>("info"),
            InstanceMethod<&ModelWrap::vocab>("vocab"),
            InstanceMethod<&ModelWrap::special_tokens>("specialTokens"),
            InstanceMethod<&ModelWrap::metadata>("metadata"),
            InstanceMethod<&ModelWrap::chat_template>("chatTemplate"),
            InstanceMethod<&ModelWrap::tokenize>("tokenize"),
            InstanceMethod<&ModelWrap::tokenize_segments>("tokenizeSegments"),
            InstanceMethod<&ModelWrap::tokenize_async>("tokenizeAsync"),
            InstanceMethod<&ModelWrap::tokenize_segments_async>("tokenizeSegmentsAsync"),
            InstanceMethod<&ModelWrap::detokenize>("detokenize"),
            InstanceMethod<&ModelWrap::detokenize_bytes>("detokenizeBytes"),
            InstanceMethod<&ModelWrap::compile_grammar>("compileGrammar"),
            InstanceMethod<&ModelWrap::known_grammar>("knownGrammar"),
            InstanceMethod<&ModelWrap::close>("close"),
        });
}

ModelWrap::ModelWrap(const Napi::CallbackInfo & info) : Napi::ObjectWrap<ModelWrap>(info) {
    if (!info[0].IsExternal()) {
        throw Napi::TypeError::New(info.Env(), "A NativeModel is made by loadModel().");
    }
    model_ = *info[0].As<Napi::External<std::shared_ptr<Model>>>().Data();
    // A vocabulary alone uses about a hundred bytes for each token.
    constexpr uint64_t token_bytes = 200;
    memory_.emplace(info.Env(), model_->info().size_bytes +
                                    token_bytes * static_cast<uint64_t>(model_->vocab().size()));
}

// Collected without close(): unmapping hundreds of gigabytes must not happen on the JavaScript
// thread, even if it drops the last share.
ModelWrap::~ModelWrap() {
    if (model_ != nullptr) {
        reaper::post([model = std::move(model_)] {});
    }
}

std::shared_ptr<Model> ModelWrap::model() const {
    if (model_ == nullptr) {
        throw Failure(ErrorCode::Disposed, "The model was closed. Load it again with loadModel().");
    }
    return model_;
}

Napi::Value ModelWrap::load(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    ModelConfig config = model_config_of(info[0]);
    if (!info[1].IsObject() ||
        !info[1].As<Napi::Object>().InstanceOf(Environment::of(env).cancel_token_class.Value())) {
        throw Napi::TypeError::New(env, "Expected a cancel token for `token`.");
    }
    if (!info[2].IsFunction()) {
        throw Napi::TypeError::New(env, "Expected a function for `onProgress`.");
    }
    const std::shared_ptr<std::atomic<bool>> cancelled =
        CancelTokenWrap::Unwrap(info[1].As<Napi::Object>())->flag();

    // Progress crosses as single numbers: the callback gets only the latest one that was not yet
    // delivered.
    auto progress = std::make_shared<EventChannel<double>>(
        env, "r1.model.progress", info[2].As<Napi::Function>(),
        latest_of<double>([](Napi::Env at, const double & value) -> Napi::Value {
            return Napi::Number::New(at, value);
        }));
    return run_async<std::shared_ptr<Model>>(
        env, "r1.model.load",
        [config = std::move(config), cancelled, progress] {
            reaper::ensure();
            int told = -1;
            return Model::load(config, *cancelled, [&](float value) {
                const int thousandths = static_cast<int>(value * 1000);
                if (thousandths != told) {
                    told = thousandths;
                    progress->push({static_cast<double>(value)});
                }
            });
        },
        [progress](Napi::Env at, std::shared_ptr<Model> & model) -> Napi::Value {
            ProcessHook::run_before_existing_hooks();
            return Environment::of(at).model_class.New(
                {Napi::External<std::shared_ptr<Model>>::New(at, &model)});
        },
        {[cancelled] { cancelled->store(true); }, [progress] { progress->close(); }});
}

Napi::Value ModelWrap::info(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const ModelInfo & facts = model()->info();
        const Napi::Object object = Napi::Object::New(env);
        object.Set("architecture", facts.architecture);
        object.Set("description", facts.description);
        object.Set("layers", facts.layers);
        object.Set("parameters", static_cast<double>(facts.parameters));
        object.Set("sizeBytes", static_cast<double>(facts.size_bytes));
        object.Set("trainContextSize", facts.train_context);
        object.Set("embeddingSize", facts.embedding_size);
        object.Set("vocabSize", model()->vocab().size());
        object.Set("isMla", Napi::Boolean::New(env, facts.is_mla));
        object.Set("hasDecoder", Napi::Boolean::New(env, facts.has_decoder));
        return object;
    });
}

Napi::Value ModelWrap::vocab(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Vocab & vocab = model()->vocab();
        const llama_vocab * handle = vocab.handle();
        const Napi::Object object = Napi::Object::New(env);
        object.Set("bos", llama_vocab_bos(handle));
        object.Set("eos", llama_vocab_eos(handle));
        object.Set("eot", llama_vocab_eot(handle));
        object.Set("pad", llama_vocab_pad(handle));
        object.Set("newline", llama_vocab_nl(handle));
        object.Set("addBos", Napi::Boolean::New(env, llama_vocab_get_add_bos(handle)));
        object.Set("size", vocab.size());
        object.Set("longestToken", vocab.longest_token());
        std::vector<int32_t> ends;
        for (int32_t id = 0; id < vocab.size(); ++id) {
            if (vocab.is_end_of_generation(id)) {
                ends.push_back(id);
            }
        }
        object.Set("endOfGeneration", ids_to_js(env, ends));
        return object;
    });
}

Napi::Value ModelWrap::special_tokens(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Napi::Array array = Napi::Array::New(env);
        for (const SpecialToken & token : model()->vocab().special_tokens()) {
            const Napi::Object object = Napi::Object::New(env);
            object.Set("id", token.id);
            object.Set("text", token.text);
            object.Set("kind", kind_name(token.attr));
            array.Set(array.Length(), object);
        }
        return array;
    });
}

Napi::Value ModelWrap::metadata(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const Napi::Object object = Napi::Object::New(env);
        for (const auto & [key, text] : model()->metadata()) {
            object.Set(key, text);
        }
        return object;
    });
}

Napi::Value ModelWrap::chat_template(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const char * text = model()->chat_template();
        return text == nullptr ? env.Null() : Napi::Value(Napi::String::New(env, text));
    });
}

Napi::Value ModelWrap::tokenize(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return r1::tokenize(info, model()); });
}

Napi::Value ModelWrap::tokenize_segments(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return r1::tokenize_segments(info, model()); });
}

Napi::Value ModelWrap::tokenize_async(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return r1::tokenize_async(info, model()); });
}

Napi::Value ModelWrap::tokenize_segments_async(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return r1::tokenize_segments_async(info, model()); });
}

Napi::Value ModelWrap::detokenize(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const std::vector<int32_t> ids = ids_of(info[0], "tokens");
        return Napi::String::New(env, model()->vocab().detokenize(ids.data(), ids.size()));
    });
}

Napi::Value ModelWrap::detokenize_bytes(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const std::vector<int32_t> ids = ids_of(info[0], "tokens");
        const std::string text = model()->vocab().detokenize(ids.data(), ids.size());
        Napi::Uint8Array bytes = Napi::Uint8Array::New(env, text.size());
        std::copy(text.begin(), text.end(), bytes.Data());
        return bytes;
    });
}

Napi::Value ModelWrap::compile_grammar(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return GrammarWrap::compile(info, model()); });
}

Napi::Value ModelWrap::known_grammar(const Napi::CallbackInfo & info) {
    return guarded(info.Env(), [&] { return GrammarWrap::known(info, model()); });
}

Napi::Value ModelWrap::close(const Napi::CallbackInfo & info) {
    std::shared_ptr<Model> model = std::move(model_);
    model_.reset();
    memory_.reset();
    return run_async<Nothing>(
        info.Env(), "r1.model.close",
        [model = std::move(model)]() mutable {
            model.reset();
            return Nothing{};
        },
        [](Napi::Env env, Nothing &) { return env.Undefined(); }, {[] {}, [] {}, NoThread::Reaper});
}

}  // namespace r1
