// GrammarWrap: the contract's NativeGrammar, a compiled grammar. JavaScript thread; compiling runs
// on a separate thread.
#pragma once

#include <napi.h>

#include <memory>

#include "core/backend/model.h"
#include "core/sampling/grammar.h"

namespace r1 {

class GrammarWrap : public Napi::ObjectWrap<GrammarWrap> {
public:
    static Napi::Function define(Napi::Env env);

    /** compileGrammar(text) of the contract, for a model. */
    static Napi::Value compile(const Napi::CallbackInfo & info,
                               const std::shared_ptr<Model> & model);

    /** knownGrammar(text) of the contract, for a model. */
    static Napi::Value known(const Napi::CallbackInfo & info, const std::shared_ptr<Model> & model);

    /** The grammar of a NativeGrammar, or nullptr for null. Throws a TypeError for anything else.
     */
    static std::shared_ptr<Grammar> grammar_of(const Napi::Value & value);

    explicit GrammarWrap(const Napi::CallbackInfo & info);
    ~GrammarWrap() override;

private:
    struct Parts {
        std::shared_ptr<Model> model;  // whose vocabulary the grammar refers to
        std::shared_ptr<Grammar> grammar;
    };

    static Napi::Value make(Napi::Env env, Parts parts);
    Napi::Value source(const Napi::CallbackInfo & info);

    Parts parts_;
};

}  // namespace r1
