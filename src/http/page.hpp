// The page for people at "/": web/page.html and what it loads, as of when the program was built.
//
// Constants and a pure function on them; any thread. The page is a client of the API like any
// other: nothing is made for it alone, and nothing in it comes from a torrent.
#pragma once

#include "http/reply.hpp"
#include "http/route.hpp"

namespace slipstream::http {

// `what` is one of page, page_style, page_script.
[[nodiscard]] reply answer_page(resource what);

} // namespace slipstream::http
