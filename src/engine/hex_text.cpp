#include "engine/hex_text.hpp"

namespace slipstream {

std::string hex_text(std::string_view const bytes)
{
	constexpr std::string_view digits = "0123456789abcdef";
	std::string text;
	text.reserve(2 * bytes.size());
	for (char const c : bytes)
	{
		auto const byte = static_cast<unsigned char>(c);
		text += digits[byte >> 4];
		text += digits[byte & 15];
	}
	return text;
}

} // namespace slipstream
