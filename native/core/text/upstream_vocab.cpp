// UpstreamVocab: the only file that includes llama.cpp's private vocabulary and Unicode headers.
#include "core/text/upstream_vocab.h"

#include <llama-vocab.h>
#include <unicode.h>

namespace r1 {

bool UpstreamVocab::has_r1_words() const {
    if (vocab_->get_type() != LLAMA_VOCAB_TYPE_BPE || vocab_->get_tokenizer_model() != "gpt2") {
        return false;
    }
    // Those that share its patterns in llm_tokenizer_bpe (llama-vocab.cpp).
    switch (vocab_->get_pre_type()) {
        case LLAMA_VOCAB_PRE_TYPE_DEEPSEEK3_LLM:
        case LLAMA_VOCAB_PRE_TYPE_HUNYUAN_DENSE:
        case LLAMA_VOCAB_PRE_TYPE_JOYAI_LLM:
        case LLAMA_VOCAB_PRE_TYPE_HY_V4: return true;
        default: return false;
    }
}

bool UpstreamVocab::may_recurse() const {
    if (vocab_->get_type() != LLAMA_VOCAB_TYPE_BPE) {
        return false;
    }
    // Whose pattern is one of those that unicode_regex_split_custom (unicode.cpp) knows.
    switch (vocab_->get_pre_type()) {
        case LLAMA_VOCAB_PRE_TYPE_LLAMA3:
        case LLAMA_VOCAB_PRE_TYPE_DBRX:
        case LLAMA_VOCAB_PRE_TYPE_SMAUG:
        case LLAMA_VOCAB_PRE_TYPE_QWEN2:
        case LLAMA_VOCAB_PRE_TYPE_STABLELM2:
        case LLAMA_VOCAB_PRE_TYPE_QWEN35:
        case LLAMA_VOCAB_PRE_TYPE_GPT2:
        case LLAMA_VOCAB_PRE_TYPE_KIMI_K2: return false;
        default: return true;
    }
}

int UpstreamVocab::merge_rank(const std::string & left, const std::string & right) const {
    return vocab_->find_bpe_rank(left, right);
}

llama_token UpstreamVocab::token_of(const std::string & text) const {
    return vocab_->text_to_token(text);
}

bool UpstreamVocab::ignores_merges() const { return vocab_->get_ignore_merges(); }

int UpstreamVocab::longest_token() const { return vocab_->max_token_len(); }

CharacterKind kind_of(std::uint32_t code_point) {
    const unicode_cpt_flags flags = unicode_cpt_flags_from_cpt(code_point);
    const unsigned category = flags.category_flag();
    return {flags.is_whitespace != 0,
            category == unicode_cpt_flags::NUMBER,
            category == unicode_cpt_flags::LETTER,
            category == unicode_cpt_flags::ACCENT_MARK,
            category == unicode_cpt_flags::PUNCTUATION,
            category == unicode_cpt_flags::SYMBOL};
}

}  // namespace r1
