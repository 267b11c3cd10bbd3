// Precompiled for the HTTP server and the program. Convenience only: every file includes what it uses.
#pragma once
#include "pch_torrent.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
