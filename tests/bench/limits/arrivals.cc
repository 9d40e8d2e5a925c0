#include "tests/bench/limits/arrivals.h"

#include "tests/integration/cluster.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace candor::bench {
namespace {

// A whole call counts as 1, or as its tokens.
double Amount(const Arrival& arrival, const Span& span) {
  if (!arrival.admitted) return 0;
  return span.tokens ? static_cast<double>(arrival.tokens) : 1;
}

bool Touches(const Span& span, Second from, Second to) {
  return std::any_of(span.without.begin(), span.without.end(), [&](const auto& left_out) {
    return left_out.first < to && left_out.second > from;
  });
}

// Sums over [t, t + length) in steps of a second.
class Windows {
 public:
  Windows(const std::vector<Arrival>& arrivals, const Span& span) : span_(span) {
    times_.reserve(arrivals.size());
    sums_.reserve(arrivals.size() + 1);
    sums_.push_back(0);
    for (const Arrival& arrival : arrivals) {
      times_.push_back(arrival.time);
      sums_.push_back(sums_.back() + Amount(arrival, span));
    }
  }
  double Sum(Second from, Second to) const { return Before(to) - Before(from); }
  double Least(Second length) const {
    double least = -1;
    for (Second at = span_.from; at + length <= span_.to; at += 1) {
      if (Touches(span_, at, at + length)) continue;
      const double share = Sum(at, at + length) / (span_.limit_a_minute * length / 60);
      if (least < 0 || share < least) least = share;
    }
    return least;
  }
  // Beginning at each arrival, which is where the most lie.
  double Most(Second length) const {
    double most = 0;
    for (const Second time : times_) {
      if (time + length < span_.from || time > span_.to) continue;
      most = std::max(most, Sum(time, time + length) / (span_.limit_a_minute * length / 60));
    }
    return most;
  }

 private:
  double Before(Second time) const {
    const auto at = std::lower_bound(times_.begin(), times_.end(), time);
    return sums_[static_cast<std::size_t>(at - times_.begin())];
  }
  const Span& span_;
  std::vector<Second> times_;
  std::vector<double> sums_;
};

}  // namespace

Second Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::vector<Arrival> ReadArrivals(const std::string& address) {
  std::vector<Arrival> arrivals;
  std::uint64_t after = 0;
  while (true) {
    const auto rows = integration::ParseJsonLines(
        integration::RunCommand(
            {"curl", "-sS", "--noproxy", "*",
             "http://" + address + "/_simulator/ledger?after=" + std::to_string(after)})
            .out);
    if (rows.empty()) break;
    for (const auto& row : rows) {
      Arrival& arrival = arrivals.emplace_back();
      arrival.time =
          static_cast<double>(row.at("arrival_unix_us").to_number<std::int64_t>()) * 1e-6;
      arrival.admitted = row.at("admitted").as_bool();
      arrival.rejected = !row.at("rejected_by").as_string().empty();
      arrival.model = row.at("model").as_string().c_str();
      arrival.tokens = row.at("counted_tokens").to_number<std::int64_t>();
    }
    after = rows.back().at("call").to_number<std::uint64_t>();
  }
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const Arrival& a, const Arrival& b) { return a.time < b.time; });
  return arrivals;
}

Share MeasureShare(const std::vector<Arrival>& arrivals, const Span& span) {
  const Windows windows(arrivals, span);
  Share share;
  double seconds = span.to - span.from;
  double amount = windows.Sum(span.from, span.to);
  for (const auto& [from, to] : span.without) {
    seconds -= to - from;
    amount -= windows.Sum(from, to);
  }
  share.whole = amount / (span.limit_a_minute * seconds / 60);
  share.least_60s = windows.Least(60);
  share.least_10s = windows.Least(10);
  share.most_60s = windows.Most(60);
  double rejected = 0;
  double all = 0;
  for (const Arrival& arrival : arrivals) {
    if (arrival.time < span.from || arrival.time >= span.to) continue;
    ++all;
    if (arrival.rejected) ++rejected;
  }
  share.rejected = all == 0 ? 0 : rejected / all;
  return share;
}

}  // namespace candor::bench
