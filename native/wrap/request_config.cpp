// Reads the contract's NativeEngineConfig and NativeRequest. JavaScript thread.
#include "wrap/request_config.h"

#include "napi/fields.h"
#include "wrap/grammar_wrap.h"

namespace r1 {
namespace {

// Number.MAX_SAFE_INTEGER
constexpr int64_t max_safe_integer = (int64_t{1} << 53) - 1;

RopeConfig rope_of(const Fields & fields) {
    RopeConfig rope;
    rope.scaling = fields.text("scaling");
    rope.freq_base = fields.real("freqBase");
    rope.freq_scale = fields.real("freqScale");
    rope.yarn_ext_factor = fields.real("yarnExtFactor");
    rope.yarn_attn_factor = fields.real("yarnAttnFactor");
    rope.yarn_beta_fast = fields.real("yarnBetaFast");
    rope.yarn_beta_slow = fields.real("yarnBetaSlow");
    rope.yarn_orig_ctx = fields.uint32("yarnOrigCtx");
    return rope;
}

SamplingConfig sampling_of(const Fields & fields) {
    SamplingConfig config;
    config.samplers = fields.texts("samplers");
    config.seed = fields.uint32("seed");
    config.temperature = fields.real("temperature");
    config.dynatemp_range = fields.real("dynatempRange");
    config.dynatemp_exponent = fields.real("dynatempExponent");
    config.top_k = fields.int32("topK", 0);
    config.top_p = fields.real("topP");
    config.min_p = fields.real("minP");
    config.typical_p = fields.real("typicalP");
    config.top_n_sigma = fields.real("topNSigma");
    config.xtc_probability = fields.real("xtcProbability");
    config.xtc_threshold = fields.real("xtcThreshold");
    config.min_keep = fields.int32("minKeep", 0);
    config.penalty_last_n = fields.int32("penaltyLastN", 0);
    config.repeat_penalty = fields.real("repeatPenalty");
    config.frequency_penalty = fields.real("frequencyPenalty");
    config.presence_penalty = fields.real("presencePenalty");
    config.dry_multiplier = fields.real("dryMultiplier");
    config.dry_base = fields.real("dryBase");
    config.dry_allowed_length = fields.int32("dryAllowedLength", 0);
    config.dry_penalty_last_n = fields.int32("dryPenaltyLastN", 0);
    config.dry_sequence_breakers = fields.texts("drySequenceBreakers");
    config.mirostat = fields.int32("mirostat", 0, 2);
    config.mirostat_tau = fields.real("mirostatTau");
    config.mirostat_eta = fields.real("mirostatEta");
    const std::vector<int32_t> tokens = fields.ids("logitBiasTokens");
    const std::vector<float> values = fields.reals("logitBiasValues");
    for (std::size_t i = 0; i < std::min(tokens.size(), values.size()); ++i) {
        config.logit_bias.push_back({tokens[i], values[i]});
    }
    return config;
}

}  // namespace

EngineConfig engine_config_of(const Napi::Value & value) {
    const Fields fields(value, "config");
    EngineConfig config;
    config.context_size = fields.uint32("contextSize");
    config.batch_size = fields.uint32("batchSize");
    config.ubatch_size = fields.uint32("ubatchSize");
    config.sequences = fields.uint32("sequences");
    config.kv_unified = fields.flag("kvUnified");
    config.guest_sequence = fields.flag("guestSequence");
    config.sequences += config.guest_sequence ? 1 : 0;
    config.threads = fields.int32("threads");
    config.threads_batch = fields.int32("threadsBatch");
    config.cache_type_k = fields.text("cacheTypeK");
    config.cache_type_v = fields.text("cacheTypeV");
    config.flash_attention = fields.text("flashAttention");
    config.offload_kqv = fields.flag("offloadKqv");
    config.op_offload = fields.flag("opOffload");
    config.priority = fields.text("priority");
    config.poll = fields.uint32("poll", 100);
    config.rope = rope_of(fields.object("rope"));
    config.max_queue = fields.uint32("maxQueue");
    config.prefix_cache = fields.flag("prefixCache");
    config.max_draft = fields.uint32("maxDraft", 256);
    config.deterministic = fields.flag("deterministic");
    config.warmup = fields.flag("warmup");
    return config;
}

std::shared_ptr<Request> request_of(const Napi::Value & value) {
    const Fields fields(value, "request");
    auto request = std::make_shared<Request>();
    request->id = fields.uint32("id");
    request->tokens = fields.ids("tokens");
    request->max_tokens = fields.int32("maxTokens", -1);
    request->sampling = sampling_of(fields.object("sampling"));
    for (std::string & stop : fields.texts("stop")) {
        if (!stop.empty()) {
            request->stop.push_back(std::move(stop));
        }
    }
    request->stop_tokens = fields.ids("stopTokens");
    request->ignore_eos = fields.flag("ignoreEos");
    request->logprobs = fields.int32("logprobs", -1, 20);
    request->priority = fields.int32("priority");
    request->timeout_ms = fields.number("timeoutMs");
    request->cache_prompt = fields.flag("cachePrompt");
    request->guest = fields.flag("guest");
    request->session = static_cast<uint64_t>(fields.integer("session", 0, max_safe_integer));
    request->think_token = fields.int32("thinkToken");
    request->end_think_token = fields.int32("endThinkToken");
    request->starts_in_reasoning = fields.flag("startsInReasoning");
    request->reasoning_budget = fields.int32("reasoningBudget", -1);
    request->closing = fields.ids("closing");
    request->grammar = GrammarWrap::grammar_of(fields.value("grammar"));
    request->ngram_draft = fields.int32("ngramDraft", 0);
    request->model_draft = fields.int32("modelDraft", 0);
    request->loop_guard = fields.int32("loopGuard", 0);
    request->prompt_progress = fields.flag("promptProgress");
    return request;
}

}  // namespace r1
