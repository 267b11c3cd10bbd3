#include "engine/engine_fixture.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <stdexcept>

namespace slipstream::test {

namespace {

constexpr std::chrono::seconds patience{60};

template <typename T>
T get(std::future<T>& f)
{
	if (f.wait_for(patience) != std::future_status::ready)
		throw std::runtime_error("something that was waited for did not happen");
	return f.get();
}

} // namespace

engine_options local_engine(std::vector<boost::asio::ip::tcp::endpoint> peers
	, std::int64_t const capacity_bytes)
{
	spdlog::set_level(spdlog::level::err);
	engine_options options;
	options.memory.capacity_bytes = capacity_bytes;
	options.peer_listen = {"127.0.0.1:0"};
	options.connect = std::move(peers);
	options.offline = true;
	options.metadata_timeout = patience;
	options.read_timeout = patience;
	return options;
}

boost::system::error_code wait_ready(engine& e, std::string_view const id)
{
	auto f = start_wait(e, id);
	return get(f);
}

std::future<boost::system::error_code> start_wait(engine& e, std::string_view const id)
{
	auto const answer = std::make_shared<std::promise<boost::system::error_code>>();
	auto result = answer->get_future();
	e.async_wait_ready(id, [answer](boost::system::error_code const ec) { answer->set_value(ec); });
	return result;
}

std::string add_ready(engine& e, std::string_view const uri)
{
	auto const id = e.add(uri);
	if (!id) throw std::runtime_error(id.error().detail);
	if (auto const ec = wait_ready(e, *id)) throw boost::system::system_error(ec);
	return *id;
}

std::string add_ready(engine& e, shared_files const& files)
{
	auto const id = e.add_torrent_file(files.torrent_file());
	if (!id) throw std::runtime_error(id.error().detail);
	if (auto const ec = wait_ready(e, *id)) throw boost::system::system_error(ec);
	return *id;
}

std::unique_ptr<reader> open(engine& e, std::string_view const id, int const file_index)
{
	auto r = e.open(id, file_index);
	if (!r) throw std::runtime_error(r.error().detail);
	return std::move(*r);
}

read_result read_up_to(reader& r, std::size_t const size)
{
	read_result result;
	std::vector<char> buffer(200'000);
	while (result.bytes.size() < size)
	{
		std::size_t const most = std::min(buffer.size(), size - result.bytes.size());
		auto const got = r.read(std::span(buffer).first(most));
		if (!got)
		{
			result.ec = got.error().code;
			break;
		}
		if (*got == 0) break;
		result.bytes.append(buffer.data(), *got);
	}
	return result;
}

read_result read_all(reader& r) { return read_up_to(r, static_cast<std::size_t>(r.size_bytes()) + 1); }

testing::AssertionResult plays(reader& r, shared_files const& files, std::size_t const size)
{
	auto const from = static_cast<std::size_t>(r.position_bytes());
	auto const got = read_up_to(r, size);
	if (got.ec) return testing::AssertionFailure() << "at " << r.position_bytes() << ": " << got.ec.message();
	auto const want = std::string_view(files.content(0)).substr(from, size);
	if (got.bytes.size() != want.size()) return testing::AssertionFailure() << got.bytes.size() << " of " << want.size() << " bytes";
	if (got.bytes != want) return testing::AssertionFailure() << "wrong bytes between " << from << " and " << r.position_bytes();
	return testing::AssertionSuccess();
}

bool comes_true(std::function<bool()> const& condition)
{
	using namespace std::chrono_literals;
	for (auto const end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;)
	{
		if (condition()) return true;
		std::this_thread::sleep_for(1ms); // between two looks, not in place of one
	}
	return false;
}

std::future<lease_result> start_lease(reader& r)
{
	auto const answer = std::make_shared<std::promise<lease_result>>();
	auto result = answer->get_future();
	r.async_lease(64 << 10, [answer](boost::system::error_code const ec, lease bytes)
		{ answer->set_value({ec, std::move(bytes)}); });
	return result;
}

boost::system::error_code outcome(std::future<lease_result>& waiting) { return get(waiting).ec; }

boost::system::error_code outcome(std::future<boost::system::error_code>& waiting) { return get(waiting); }

} // namespace slipstream::test
