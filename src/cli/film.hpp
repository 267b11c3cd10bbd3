// The film that the demo streams when it is given none: made with ffmpeg, in a folder of its own.
//
// The demo owns the folder, and waits here in its thread while ffmpeg works. It is not part of what
// Slipstream streams with.
#pragma once

#include <slipstream/error.hpp>

#include <filesystem>
#include <functional>

namespace slipstream::cli {

// A fresh folder below the system's temporary one; gone, with all in it, when it is destroyed.
class temporary_folder
{
public:
	// Throws std::runtime_error when it cannot be made.
	temporary_folder();
	~temporary_folder();
	temporary_folder(temporary_folder const&) = delete;
	temporary_folder& operator=(temporary_folder const&) = delete;
	[[nodiscard]] std::filesystem::path const& path() const { return m_path; }

private:
	std::filesystem::path m_path;
};

// An MP4 of about 64 MiB in `folder`: moving pictures and a tone, with the index at its end, as players
// dislike it most. Runs ffmpeg and waits for it; asks `interrupted` whenever a signal came, and ends
// ffmpeg when it says so (cancelled). Errors: bad_argument, with a sentence, when ffmpeg is not there or
// fails.
[[nodiscard]] expected<std::filesystem::path> make_film(std::filesystem::path const& folder
	, std::function<bool()> const& interrupted);

} // namespace slipstream::cli
