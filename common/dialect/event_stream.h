// Server-sent events (WHATWG HTML, section 9.2), from a whole body. Private to the room.
#pragma once

#include <string>
#include <string_view>

namespace candor::dialect {

// Reads events one by one. Comments, ids and retry times are passed over; lines end with LF, CR or
// both; several data lines are joined by LF. An event that the end of the body cuts off is given,
// too: servers are careless with the last empty line, and half a JSON is noticed as such.
//
//   EventReader events(body);
//   while (events.Next()) Use(events.type(), events.data());
class EventReader {
 public:
  // The body must outlive the reader.
  explicit EventReader(std::string_view body);

  // Goes to the next event that has data; false when there is none left.
  bool Next();
  // What "event:" said; empty when nothing did. Until the next Next().
  std::string_view type() const { return type_; }
  std::string_view data() const { return joined_.empty() ? data_ : std::string_view(joined_); }

 private:
  std::string_view NextLine();

  std::string_view rest_;
  std::string_view type_;
  // The data: of one line in place, of several in `joined_`.
  std::string_view data_;
  std::string joined_;
};

}  // namespace candor::dialect
