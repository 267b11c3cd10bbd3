#include "cli/state_dir.hpp"

#include "cli/progress.hpp"
#include "engine/info_hash_text.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace slipstream::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view resume_suffix = ".resume";
constexpr std::string_view unfinished_suffix = ".tmp";
constexpr std::string_view aside_suffix = ".unreadable";
// Twice the largest torrent file that is taken: what is larger is not ours.
constexpr std::uintmax_t most_bytes = 64u << 20;

error failed(fs::path const& path, int const reason)
{
	return {errc::bad_argument, fmt::format("{}: {}", path.string(), std::strerror(reason))};
}

// A descriptor that is closed in the end; what close() says of a file that was synced is of no interest.
class open_file
{
public:
	open_file(fs::path const& path, int const flags) : m_fd(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
	~open_file() { if (m_fd >= 0) ::close(m_fd); }
	open_file(open_file const&) = delete;
	open_file& operator=(open_file const&) = delete;
	[[nodiscard]] int fd() const { return m_fd; }
	explicit operator bool() const { return m_fd >= 0; }

private:
	int const m_fd;
};

bool write_all(int const fd, std::span<char const> bytes)
{
	while (!bytes.empty())
	{
		ssize_t const written = ::write(fd, bytes.data(), bytes.size());
		if (written < 0 && errno == EINTR) continue;
		if (written <= 0) return false;
		bytes = bytes.subspan(static_cast<std::size_t>(written));
	}
	return true;
}

// A name in a folder is on the disk only when the folder is.
bool sync_folder_of(fs::path const& path)
{
	open_file const folder(path.parent_path(), O_RDONLY | O_DIRECTORY);
	return folder && fsync(folder.fd()) == 0;
}

expected<std::string> write_file(fs::path const& path, std::span<char const> const bytes)
{
	fs::path unfinished = path;
	unfinished += unfinished_suffix;
	auto const give_up = [&](fs::path const& where) -> error {
		int const reason = errno;
		::unlink(unfinished.c_str());
		return failed(where, reason);
	};
	{
		open_file const file(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
		if (!file || !write_all(file.fd(), bytes) || fsync(file.fd()) != 0) return give_up(unfinished);
	}
	if (std::rename(unfinished.c_str(), path.c_str()) != 0) return give_up(path);
	if (!sync_folder_of(path)) return failed(path.parent_path(), errno);
	return path.string();
}

std::optional<std::vector<char>> read_file(fs::path const& path, std::string& why)
{
	open_file const file(path, O_RDONLY | O_NONBLOCK);
	struct stat s{};
	if (!file || fstat(file.fd(), &s) != 0)
	{
		why = std::strerror(errno);
		return std::nullopt;
	}
	if (!S_ISREG(s.st_mode) || static_cast<std::uintmax_t>(s.st_size) > most_bytes)
	{
		why = S_ISREG(s.st_mode) ? "too large to be ours" : "not a file";
		return std::nullopt;
	}
	std::vector<char> bytes(static_cast<std::size_t>(s.st_size));
	std::size_t at = 0;
	while (at < bytes.size())
	{
		ssize_t const count = ::read(file.fd(), bytes.data() + at, bytes.size() - at);
		if (count < 0 && errno == EINTR) continue;
		if (count < 0)
		{
			why = std::strerror(errno);
			return std::nullopt;
		}
		if (count == 0) break;
		at += static_cast<std::size_t>(count);
	}
	bytes.resize(at);
	return bytes;
}

expected<std::string> rename_aside(fs::path const& path)
{
	for (int number = 1;; ++number)
	{
		fs::path other = path;
		other += aside_suffix;
		if (number > 1) other += fmt::format(".{}", number);
		// link() does not write over what is there, as rename() does.
		if (::link(path.c_str(), other.c_str()) == 0)
		{
			if (::unlink(path.c_str()) != 0) return failed(path, errno);
			return other.string();
		}
		if (errno != EEXIST) return failed(path, errno);
	}
}

// The id of "<id>.resume" and the like.
std::optional<std::string> id_in(std::string_view const name, std::string_view const suffix)
{
	if (!name.ends_with(suffix)) return std::nullopt;
	std::string_view const id = name.substr(0, name.size() - suffix.size());
	if (normalized_id(id) != id) return std::nullopt; // we write them in lower case
	return std::string(id);
}

} // namespace

state_dir::state_dir(std::string const& path) : m_path(fs::absolute(path))
{
	for (fs::path const& folder : {m_path, m_path / "torrents"})
	{
		std::error_code ec;
		fs::create_directories(folder.parent_path(), ec);
		if (::mkdir(folder.c_str(), 0700) != 0 && (errno != EEXIST || !fs::is_directory(folder, ec)))
			throw std::runtime_error(fmt::format("--state-dir: {}", failed(folder, errno == EEXIST ? ENOTDIR : errno).detail));
	}
	fs::path const lock = m_path / "lock";
	m_lock = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (m_lock < 0) throw std::runtime_error(fmt::format("--state-dir: {}", failed(lock, errno).detail));
	if (flock(m_lock, LOCK_EX | LOCK_NB) == 0) return;
	int const reason = errno;
	::close(m_lock);
	throw std::runtime_error(fmt::format("--state-dir: {}", reason == EWOULDBLOCK
		? m_path.string() + " is in use by another slipstream; give each its own" : failed(lock, reason).detail));
}

state_dir::~state_dir() { ::close(m_lock); }

fs::path state_dir::path_of(std::string_view const id) const
{
	return m_path / "torrents" / (std::string(id) + std::string(resume_suffix));
}

state_dir::contents state_dir::load()
{
	contents found;
	auto const complain = [&](fs::path const& path, std::string_view const why)
		{ found.complaints.push_back(fmt::format("{}: {}; left alone", printable(path.string()), why)); };
	std::error_code ec;
	std::string why;
	for (auto at = fs::directory_iterator(m_path / "torrents", ec); !ec && at != fs::directory_iterator(); at.increment(ec))
	{
		fs::path const path = at->path();
		std::string const name = path.filename().string();
		if (id_in(name, std::string(resume_suffix) + std::string(unfinished_suffix)))
		{
			::unlink(path.c_str());  // never had its name, so it was never whole
			continue;
		}
		if (name.find(aside_suffix) != std::string::npos) continue;
		auto const id = id_in(name, resume_suffix);
		if (!id) complain(path, "not one of slipstream's files");
		else if (auto bytes = read_file(path, why)) found.torrents.push_back({*id, std::move(*bytes)});
		else complain(path, why);
	}
	if (ec) complain(m_path / "torrents", ec.message());
	std::sort(found.torrents.begin(), found.torrents.end(), [](auto const& a, auto const& b) { return a.id < b.id; });
	fs::path const session = m_path / "session.state";
	if (fs::exists(session, ec))
	{
		if (auto bytes = read_file(session, why)) found.session = std::move(*bytes);
		else complain(session, why);
	}
	return found;
}

expected<std::string> state_dir::save(std::string_view const id, std::span<char const> const bytes)
{
	return write_file(path_of(id), bytes);
}

expected<std::string> state_dir::save_session(std::span<char const> const bytes)
{
	return write_file(m_path / "session.state", bytes);
}

expected<std::string> state_dir::forget(std::string_view const id)
{
	fs::path const path = path_of(id);
	if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed(path, errno);
	if (!sync_folder_of(path)) return failed(path.parent_path(), errno);
	return path.string();
}

expected<std::string> state_dir::set_aside(std::string_view const id) { return rename_aside(path_of(id)); }

expected<std::string> state_dir::set_session_aside() { return rename_aside(m_path / "session.state"); }

} // namespace slipstream::cli
