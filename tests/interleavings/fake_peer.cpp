#include "interleavings/fake_peer.hpp"

namespace slipstream::test {

// BEP 3: length, have (4), the piece; BEP 10 and 54: length, extended (20), our number for lt_donthave, the piece.
void fake_peer::received(char const* const bytes, int const size)
{
	auto const number_at = [&](int const at) {
		int n = 0;
		for (int i = 0; i < 4; ++i) n = (n << 8) | static_cast<unsigned char>(bytes[at + i]);
		return n;
	};
	for (int at = 0; at < size; at += 4 + number_at(at))
	{
		if (bytes[at + 4] == 4) believes.insert(number_at(at + 5));
		else believes.erase(number_at(at + 6));
	}
}

} // namespace slipstream::test
