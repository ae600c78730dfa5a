// The contract's tokenising, on the JavaScript thread and off it.
#include "wrap/tokenize_wrap.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "napi/async_job.h"
#include "napi/fields.h"

namespace r1 {
namespace {

Napi::Int32Array ids_to_js(Napi::Env env, const std::vector<int32_t> & ids) {
    Napi::Int32Array array = Napi::Int32Array::New(env, ids.size());
    std::copy(ids.begin(), ids.end(), array.Data());
    return array;
}

/** A text, and whether special strings in it become their ids. */
struct TextJob {
    std::string text;
    bool special;

    std::vector<int32_t> run(const Vocab & vocab) const {
        return special ? vocab.tokenize_special(text) : vocab.tokenize_safe(text);
    }
};

TextJob text_job(const Napi::CallbackInfo & info) {
    if (!info[1].IsBoolean()) {
        throw Napi::TypeError::New(info.Env(), "Expected true or false for `special`.");
    }
    return {text_of(info[0], "text"), info[1].As<Napi::Boolean>().Value()};
}

/** Ids of segments, and the number of ids after each. */
struct Segmented {
    std::vector<int32_t> tokens;
    std::vector<int32_t> ends;
};

/** Segments: the token `ids[i]` where it is >= 0, else the text `texts[i]`. */
struct SegmentsJob {
    std::vector<std::string> texts;
    std::vector<int32_t> ids;

    Segmented run(const Vocab & vocab) const {
        Segmented result;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (ids[i] >= 0) {
                if (!vocab.contains(ids[i])) {
                    throw Failure(ErrorCode::InvalidArgument, "Token " + std::to_string(ids[i]) +
                                                                  " is outside the vocabulary of " +
                                                                  std::to_string(vocab.size()) +
                                                                  " tokens.");
                }
                result.tokens.push_back(ids[i]);
            } else {
                const std::vector<llama_token> part = vocab.tokenize_safe(texts[i]);
                result.tokens.insert(result.tokens.end(), part.begin(), part.end());
            }
            result.ends.push_back(static_cast<int32_t>(result.tokens.size()));
        }
        return result;
    }
};

SegmentsJob segments_job(const Napi::CallbackInfo & info) {
    SegmentsJob job;
    job.ids = ids_of(info[1], "ids");
    if (!info[0].IsArray() || info[0].As<Napi::Array>().Length() != job.ids.size()) {
        throw Napi::TypeError::New(info.Env(), "Expected an array as long as `ids` for `texts`.");
    }
    const Napi::Array texts = info[0].As<Napi::Array>();
    for (std::size_t i = 0; i < job.ids.size(); ++i) {
        job.texts.push_back(job.ids[i] >= 0
                                ? std::string()
                                : text_of(texts.Get(static_cast<uint32_t>(i)), "texts"));
    }
    return job;
}

Napi::Value segmented_to_js(Napi::Env env, const Segmented & segmented) {
    const Napi::Object object = Napi::Object::New(env);
    object.Set("tokens", ids_to_js(env, segmented.tokens));
    object.Set("ends", ids_to_js(env, segmented.ends));
    return object;
}

/** Work that releases the model on its own thread: the last owner unmaps the weights. */
template <typename Result, typename Job>
std::function<Result()> off_thread(std::shared_ptr<Model> model, Job job) {
    return [model = std::move(model), job = std::move(job)]() mutable {
        const std::shared_ptr<Model> held = std::move(model);
        return job.run(held->vocab());
    };
}

}  // namespace

Napi::Value tokenize(const Napi::CallbackInfo & info, const std::shared_ptr<Model> & model) {
    return ids_to_js(info.Env(), text_job(info).run(model->vocab()));
}

Napi::Value tokenize_segments(const Napi::CallbackInfo & info,
                              const std::shared_ptr<Model> & model) {
    return segmented_to_js(info.Env(), segments_job(info).run(model->vocab()));
}

Napi::Value tokenize_async(const Napi::CallbackInfo & info, std::shared_ptr<Model> model) {
    return run_async<std::vector<int32_t>>(
        info.Env(), "r1.tokenize",
        off_thread<std::vector<int32_t>>(std::move(model), text_job(info)),
        [](Napi::Env env, std::vector<int32_t> & ids) -> Napi::Value {
            return ids_to_js(env, ids);
        });
}

Napi::Value tokenize_segments_async(const Napi::CallbackInfo & info, std::shared_ptr<Model> model) {
    return run_async<Segmented>(
        info.Env(), "r1.tokenizeSegments",
        off_thread<Segmented>(std::move(model), segments_job(info)),
        [](Napi::Env env, Segmented & segmented) { return segmented_to_js(env, segmented); });
}

}  // namespace r1
