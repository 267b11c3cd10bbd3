// A request's head that came over no socket, for the tests of what the server decides by it.
#pragma once

#include "http/wire.hpp"

#include <initializer_list>
#include <utility>

namespace slipstream::http {

inline wire::request_header<> asking(wire::verb const method
	, std::initializer_list<std::pair<wire::field, char const*>> const fields)
{
	wire::request_header<> head;
	head.method(method);
	head.version(11);
	head.target("/x");
	for (auto const& [name, value] : fields) head.insert(name, value);
	return head;
}

} // namespace slipstream::http
