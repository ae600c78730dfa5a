// Fields: reads a complete, flat JavaScript object. A missing or wrong field is a TypeError, never
// a crash. JavaScript thread.
#include "napi/fields.h"

#include <cmath>

namespace r1 {
namespace {

[[noreturn]] void type_error(Napi::Env env, const std::string & message) {
    throw Napi::TypeError::New(env, message);
}

}  // namespace

Fields::Fields(const Napi::Value & value, std::string what) : what_(std::move(what)) {
    if (!value.IsObject()) {
        type_error(value.Env(), "Expected an object for `" + what_ + "`.");
    }
    object_ = value.As<Napi::Object>();
}

void Fields::refuse(const char * name, const char * expected) const {
    type_error(object_.Env(),
               std::string("Expected ") + expected + " for `" + what_ + "." + name + "`.");
}

Napi::Value Fields::value(const char * name) const { return object_.Get(name); }

std::string Fields::text(const char * name) const {
    const Napi::Value found = value(name);
    if (!found.IsString()) {
        refuse(name, "a string");
    }
    return found.As<Napi::String>().Utf8Value();
}

bool Fields::flag(const char * name) const {
    const Napi::Value found = value(name);
    if (!found.IsBoolean()) {
        refuse(name, "true or false");
    }
    return found.As<Napi::Boolean>().Value();
}

double Fields::number(const char * name) const {
    const Napi::Value found = value(name);
    if (!found.IsNumber()) {
        refuse(name, "a number");
    }
    return found.As<Napi::Number>().DoubleValue();
}

int64_t Fields::integer(const char * name, int64_t min, int64_t max) const {
    const double found = number(name);
    if (!(found >= static_cast<double>(min) && found <= static_cast<double>(max)) ||
        found != std::floor(found)) {
        refuse(name,
               ("an integer from " + std::to_string(min) + " to " + std::to_string(max)).c_str());
    }
    return static_cast<int64_t>(found);
}

std::vector<int32_t> Fields::ids(const char * name) const {
    return ids_of(value(name), what_ + "." + name);
}

std::vector<float> Fields::reals(const char * name) const {
    const Napi::Value found = value(name);
    if (found.IsTypedArray() &&
        found.As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) {
        const Napi::Float32Array array = found.As<Napi::Float32Array>();
        return std::vector<float>(array.Data(), array.Data() + array.ElementLength());
    }
    std::vector<float> numbers;
    const Napi::Array array = list(name);
    for (uint32_t i = 0; i < array.Length(); ++i) {
        const Napi::Value element = array.Get(i);
        if (!element.IsNumber()) {
            refuse(name, "an array of numbers");
        }
        numbers.push_back(element.As<Napi::Number>().FloatValue());
    }
    return numbers;
}

Napi::Array Fields::list(const char * name) const {
    const Napi::Value found = value(name);
    if (!found.IsArray()) {
        refuse(name, "an array");
    }
    return found.As<Napi::Array>();
}

std::vector<std::string> Fields::texts(const char * name) const {
    std::vector<std::string> all;
    const Napi::Array array = list(name);
    for (uint32_t i = 0; i < array.Length(); ++i) {
        all.push_back(text_of(array.Get(i), what_ + "." + name + "[" + std::to_string(i) + "]"));
    }
    return all;
}

std::vector<Fields> Fields::objects(const char * name) const {
    std::vector<Fields> all;
    const Napi::Array array = list(name);
    for (uint32_t i = 0; i < array.Length(); ++i) {
        all.emplace_back(array.Get(i), what_ + "." + name + "[" + std::to_string(i) + "]");
    }
    return all;
}

Fields Fields::object(const char * name) const { return Fields(value(name), what_ + "." + name); }

std::vector<int32_t> ids_of(const Napi::Value & value, const std::string & what) {
    if (!value.IsTypedArray() ||
        value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
        type_error(value.Env(), "Expected an Int32Array for `" + what + "`.");
    }
    const Napi::Int32Array array = value.As<Napi::Int32Array>();
    return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
}

std::string text_of(const Napi::Value & value, const std::string & what) {
    if (!value.IsString()) {
        type_error(value.Env(), "Expected a string for `" + what + "`.");
    }
    return value.As<Napi::String>().Utf8Value();
}

}  // namespace r1
