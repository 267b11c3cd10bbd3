// The border: runs a body, and turns all that it throws into an outcome. Every function of the
// bindings that can fail is one `guarded` call, so nothing is thrown across.
#pragma once

#include <slipstream_binding/outcome.hpp>

#include <slipstream/error.hpp>

#include <type_traits>
#include <utility>

namespace slipstream::binding {

// Thrown inside a guarded body, by helpers of the bindings alone.
struct failure
{
	fault kind;
	std::string message;
};

[[noreturn]] inline void fail(fault const kind, std::string message) { throw failure{kind, std::move(message)}; }
[[noreturn]] void fail(error const& e);

// The value, or a throw that `guarded` understands.
template <typename T>
T value_or_fail(expected<T> e)
{
	if (!e) fail(e.error());
	return std::move(*e);
}

template <typename Body>
auto guarded(outcome& out, Body&& body) noexcept -> std::invoke_result_t<Body>
{
	using result = std::invoke_result_t<Body>;
	out.clear();
	try { return std::forward<Body>(body)(); }
	catch (...) { out.fail_with_current_exception(); }
	if constexpr (!std::is_void_v<result>) return result{};
}

// For what answers without an outcome.
template <typename Result, typename Body>
Result guarded_or(Result otherwise, Body&& body) noexcept
{
	try { return std::forward<Body>(body)(); }
	catch (...) { return otherwise; }
}

} // namespace slipstream::binding
