// Everything a client can send, to a real server over loopback: the input is sent as it is, the sending side closed, and what comes
// back read to its end. It has to be answers, one after another, the last perhaps cut; and then nobody is left over.
#include "fuzz/fuzz.hpp"

#include "http/client.hpp"
#include "http/scripted_engine.hpp"
#include "http/server.hpp"

#include <string>

namespace slipstream::fuzz {
namespace {

struct serving
{
	serving()
	{
		std::string film(100'000, '\0');
		for (std::size_t i = 0; i < film.size(); ++i) film[i] = static_cast<char>(i * i >> 3);
		script.add("0123456789abcdef0123456789abcdef01234567", {{"film.mp4", film}, {"empty.srt", ""}, {"b.mkv", "b"}});
		http::server_options o;
		o.listen = {{boost::asio::ip::make_address("127.0.0.1"), 0}};
		server.emplace(e, std::move(o));
	}

	test::script script;
	engine e{engine_options{}};
	std::optional<http::server> server;
};

// The answers in `bytes`, as far as they can be told from each other.
void judge(std::string_view bytes)
{
	for (int answers = 0; !bytes.empty(); ++answers)
	{
		expect(answers < 10'000, "answers come to an end");
		expect(bytes.starts_with("HTTP/1."), "what comes is an answer");
		std::size_t const end = bytes.find("\r\n\r\n");
		if (end == bytes.npos) return;
		std::string_view const head = bytes.substr(0, end);
		for (std::string_view rest = head; !rest.empty(); rest.remove_prefix(std::min(rest.size(), rest.find("\r\n") + 2)))
		{
			std::string_view const line = rest.substr(0, rest.find("\r\n"));
			expect(line.find('\n') == line.npos && line.find('\r') == line.npos, "a line of a head is one line");
			if (line.size() == rest.size()) break;
		}
		// An answer to HEAD has a length and no body, and which request it answers cannot be told from here.
		std::size_t const next = bytes.find("HTTP/1.", end + 4);
		if (next == bytes.npos) return;
		bytes.remove_prefix(next);
		if (bytes.find("\r\n") == bytes.npos) return;
	}
}

} // namespace
} // namespace slipstream::fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* const bytes, std::size_t const size)
{
	using namespace slipstream;
	static fuzz::serving s;
	std::string_view const text(reinterpret_cast<char const*>(bytes), std::min<std::size_t>(size, 16 << 10));
	// Events do not end by themselves for who has only closed its sending side; a request for them is another test's.
	auto const where = s.server->endpoints().front();
	{
		test::client c(where);
		c.send(text);
		c.finish_sending();
		fuzz::judge(c.receive_bytes(4 << 20));
	}
	fuzz::expect(test::ask(where, "GET", "/healthz").status == 200, "the server goes on");
	fuzz::expect(s.script.wait_for_readers(0), "no reader is left over");
	for (auto const& t : s.e.torrents())
		if (t.id.size() != 40) static_cast<void>(s.e.remove(t.id));
	return 0;
}
