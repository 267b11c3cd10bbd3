// The server through TLS: streams, clients that vanish, and those that do not speak it; and who is let in.
#include "http/fixture.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <limits>
#include <vector>

namespace slipstream::test {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;

// A key and its self-signed certificate for 127.0.0.1, as files that go with it.
class certificate
{
public:
	certificate()
	{
		std::string name = (std::filesystem::temp_directory_path() / "slipstream-tls-XXXXXX").string();
		if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
		m_folder = name;
		EVP_PKEY* const pair = EVP_EC_gen("P-256");
		X509* const x = X509_new();
		ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
		X509_gmtime_adj(X509_getm_notBefore(x), -3600);
		X509_gmtime_adj(X509_getm_notAfter(x), 3600);
		X509_set_pubkey(x, pair);
		X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC
			, reinterpret_cast<unsigned char const*>("127.0.0.1"), -1, -1, 0);
		X509_set_issuer_name(x, X509_get_subject_name(x));
		X509_sign(x, pair, EVP_sha256());
		std::FILE* out = std::fopen(chain().c_str(), "w");
		PEM_write_X509(out, x);
		std::fclose(out);
		out = std::fopen(key().c_str(), "w");
		PEM_write_PrivateKey(out, pair, nullptr, nullptr, 0, nullptr, nullptr);
		std::fclose(out);
		X509_free(x);
		EVP_PKEY_free(pair);
	}
	~certificate() { std::filesystem::remove_all(m_folder); }
	certificate(certificate const&) = delete;
	certificate& operator=(certificate const&) = delete;

	[[nodiscard]] std::string chain() const { return m_folder / "chain.pem"; }
	[[nodiscard]] std::string key() const { return m_folder / "key.pem"; }

private:
	std::filesystem::path m_folder;
};

// Blocking, without deadlines: ctest has one.
class tls_client
{
public:
	explicit tls_client(asio::ip::tcp::endpoint const& server) : m_stream(m_io, m_context)
	{
		m_stream.next_layer().connect(server);
		m_stream.handshake(asio::ssl::stream_base::client);
	}
	void send(std::string const& bytes) { asio::write(m_stream, asio::buffer(bytes)); }
	answer receive()
	{
		wire::response_parser<wire::string_body> parser;
		parser.body_limit(std::numeric_limits<std::uint64_t>::max());
		answer a;
		wire::read(m_stream, m_buffer, parser, a.ec);
		a.complete = !a.ec && parser.is_done();
		a.status = parser.is_header_done() ? parser.get().result_int() : 0;
		auto message = parser.release();
		a.body = std::move(message.body());
		a.fields = std::move(static_cast<wire::fields&>(message.base()));
		return a;
	}
	answer get(std::string const& target, std::string const& fields = {})
	{
		send("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:443\r\n" + fields + "\r\n");
		return receive();
	}
	// How the server ended: asio::error::eof after a farewell.
	http::error_code end()
	{
		http::error_code ec;
		char byte = 0;
		m_stream.read_some(asio::buffer(&byte, 1), ec);
		return ec;
	}
	void vanish() { m_stream.next_layer().close(); }

private:
	asio::io_context m_io;
	asio::ssl::context m_context{asio::ssl::context::tls_client};
	asio::ssl::stream<asio::ip::tcp::socket> m_stream;
	beast::flat_buffer m_buffer;
};

class server_tls : public serving
{
protected:
	void SetUp() override
	{
		serving::SetUp();
		http::server_options o = options();
		o.tls_certificate = m_certificate.chain();
		o.tls_key = m_certificate.key();
		serve(std::move(o));
	}
	certificate m_certificate;
};

TEST_F(server_tls, streams_whole_files_and_ranges_on_one_connection)
{
	tls_client c(where());
	answer const whole = c.get(path);
	EXPECT_EQ(whole.status, 200u);
	EXPECT_TRUE(whole.complete);
	EXPECT_TRUE(whole.body == film);
	answer const range = c.get(path, "Range: bytes=1000000-1999999\r\n");
	EXPECT_EQ(range.status, 206u);
	EXPECT_TRUE(range.body == film.substr(1'000'000, 1'000'000));
	std::string ahead;
	for (int i = 0; i < 20; ++i) ahead += "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nRange: bytes=-100000\r\n\r\n";
	c.send(ahead);
	for (int i = 0; i < 20; ++i) EXPECT_TRUE(c.receive().body == film.substr(2'900'000));
	EXPECT_NE(c.get("/playlist.m3u").body.find("\nhttps://127.0.0.1:443/stream/"), std::string::npos);
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(server_tls, says_farewell)
{
	tls_client c(where());
	EXPECT_EQ(c.get("/healthz", "Connection: close\r\n").body, "ok\n");
	EXPECT_EQ(c.end(), asio::error::eof);
	c.vanish();
	tls_client wrong(where());
	wrong.send("nonsense\r\n\r\n");
	EXPECT_EQ(wrong.receive().status, 400u);
	EXPECT_EQ(wrong.end(), asio::error::eof);
}

TEST_F(server_tls, frees_the_reader_of_a_client_that_vanishes)
{
	m_script.add("stuck", {{"x.mkv", film}}, 1'000'000);
	for (int i = 0; i < 5; ++i)
	{
		tls_client c(where());
		c.send("GET /stream/stuck/0 HTTP/1.1\r\nHost: localhost\r\n" + std::string(i % 2 ? "Range: bytes=1000000-\r\n" : "") + "\r\n");
		ASSERT_TRUE(m_script.wait_for_readers(1));
		if (i % 2)
		{
			ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
		}
		c.vanish();
		EXPECT_TRUE(m_script.wait_for_readers(0));
	}
	m_script.add("large", {{"x.mkv", film_bytes(64 << 20)}});
	tls_client c(where());
	c.send("GET /stream/large/0 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ASSERT_TRUE(m_script.wait_for_readers(1));
	ASSERT_TRUE(m_script.wait_until_still());
	c.vanish();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(server_tls, stops_with_streams_open_and_handshakes_under_way)
{
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	client silent(where());
	tls_client waits(where());
	waits.send("GET /stream/stuck/0 HTTP/1.1\r\nHost: localhost\r\n\r\n");
	tls_client idles(where());
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	m_server->stop();
	EXPECT_TRUE(m_script.wait_for_readers(0));
	EXPECT_TRUE(silent.is_closed_by_server());
}

TEST_F(server_tls, is_not_for_those_who_do_not_speak_it)
{
	for (std::string const& bytes : {std::string("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), std::string(1000, '\0')
		, std::string("\x16\x03\x01\x00\x64", 5) + std::string(100, 'x')})
	{
		client c(where());
		c.send(bytes);
		EXPECT_NE(c.receive().status, 200u);
	}
	EXPECT_EQ(tls_client(where()).get("/healthz").status, 200u);
}

TEST_F(server_tls, needs_files_that_can_be_used)
{
	auto const fails_with = [&](std::string const& chain, std::string const& key, std::string const& word) {
		http::server_options o = options();
		o.tls_certificate = chain;
		o.tls_key = key;
		try
		{
			http::server const s(m_engine, std::move(o));
			ADD_FAILURE() << word;
		}
		catch (std::exception const& e)
		{
			EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
		}
	};
	fails_with("/nowhere.pem", m_certificate.key(), "/nowhere.pem");
	fails_with(m_certificate.chain(), m_certificate.chain(), "key");
	fails_with(m_certificate.key(), m_certificate.key(), "certificate");
	certificate const other;
	fails_with(m_certificate.chain(), other.key(), "key");
	fails_with(m_certificate.chain(), "", "certificate and its key");
}

using server_auth = serving;

TEST_F(server_auth, lets_in_who_is_known_and_gives_playlists_that_do_so_too)
{
	http::server_options o = options();
	o.credentials = {"anna:p@ss:word"};
	serve(std::move(o));
	answer const refused = ask("GET", path);
	EXPECT_EQ(refused.status, 401u);
	EXPECT_TRUE(refused.field("WWW-Authenticate").starts_with("Basic "));
	EXPECT_EQ(refused.field("Content-Type"), "application/problem+json");
	EXPECT_EQ(m_script.readers_opened(), 0);
	std::string const anna = "Authorization: Basic YW5uYTpwQHNzOndvcmQ=\r\n";
	EXPECT_TRUE(ask("GET", path, anna).body == film);
	EXPECT_EQ(ask("POST", "/api/v1/torrents", "", "d2e").status, 401u);
	EXPECT_EQ(ask("POST", "/api/v1/torrents", anna, "d2e").status, 201u);
	EXPECT_EQ(ask("GET", "/healthz").status, 200u);
	EXPECT_NE(ask("GET", "/playlist.m3u", anna).body.find("\nhttp://anna:p%40ss%3Aword@127.0.0.1/stream/"), std::string::npos);
}

} // namespace
} // namespace slipstream::test
