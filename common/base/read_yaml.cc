// yaml-cpp, into TextValue.
#include "common/base/json_writer.h"
#include "common/base/text_value.h"

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <exception>
#include <unordered_set>

namespace candor {
namespace {

constexpr std::size_t kMaxYamlBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxValues = 2'000'000;

class Converter {
 public:
  Status Convert(const YAML::Node& node, int depth, TextValue* out) {
    out->line = node.Mark().line + 1;
    if (depth > kMaxTextDepth) {
      return InvalidArgument("line {}: nested more than {} levels deep", out->line, kMaxTextDepth);
    }
    if (++values_ > kMaxValues) {
      return InvalidArgument("line {}: more than {} values once aliases are followed", out->line,
                             kMaxValues);
    }
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        out->kind = TextValue::Kind::kNull;
        return absl::OkStatus();
      case YAML::NodeType::Scalar:
        return Scalar(node, out);
      case YAML::NodeType::Sequence:
        out->kind = TextValue::Kind::kList;
        out->items.reserve(node.size());
        for (const YAML::Node& item : node) {
          CANDOR_RETURN_IF_ERROR(Convert(item, depth + 1, &out->items.emplace_back()));
        }
        return absl::OkStatus();
      case YAML::NodeType::Map:
        return Map(node, depth, out);
    }
    return absl::OkStatus();
  }

 private:
  static Status Scalar(const YAML::Node& node, TextValue* out) {
    out->text = node.Scalar();
    if (!IsUtf8(out->text)) return InvalidArgument("line {}: text that is no UTF-8", out->line);
    const std::string& tag = node.Tag();
    // "?" is what yaml-cpp says of a plain scalar, "!" of a quoted or block one.
    const bool text = tag == "!" || tag == "tag:yaml.org,2002:str";
    out->kind = text ? TextValue::Kind::kString : TextValue::Kind::kPlain;
    if (!text && (out->text.empty() || out->text == "~" || out->text == "null")) {
      out->kind = TextValue::Kind::kNull;
    }
    return absl::OkStatus();
  }

  Status Map(const YAML::Node& node, int depth, TextValue* out) {
    out->kind = TextValue::Kind::kMap;
    std::vector<TextValue> merged;
    std::unordered_set<std::string> keys;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) {
        return InvalidArgument("line {}: a key that is a list or a map; give a name",
                               member.first.Mark().line + 1);
      }
      TextValue value;
      CANDOR_RETURN_IF_ERROR(Convert(member.second, depth + 1, &value));
      value.line = member.first.Mark().line + 1;
      const std::string& key = member.first.Scalar();
      if (!IsUtf8(key)) return InvalidArgument("line {}: a key that is no UTF-8", value.line);
      if (key == "<<" && member.first.Tag() == "?") {
        if (value.kind == TextValue::Kind::kMap) {
          merged.push_back(std::move(value));
        } else {
          for (TextValue& item : value.items) merged.push_back(std::move(item));
        }
        continue;
      }
      if (!keys.insert(key).second) {
        return InvalidArgument("line {}: \"{}\" stands twice in the same map", value.line, key);
      }
      out->members.push_back({key, std::move(value)});
    }
    // What stands in the map itself goes before what is merged into it, earlier maps before later.
    for (TextValue& map : merged) {
      if (map.kind != TextValue::Kind::kMap) {
        return InvalidArgument("line {}: \"<<\" takes a map or a list of maps", out->line);
      }
      for (TextValue::Member& member : map.members) {
        if (keys.insert(member.name).second) out->members.push_back(std::move(member));
      }
    }
    return absl::OkStatus();
  }

  std::size_t values_ = 0;
};

}  // namespace

StatusOr<TextValue> ReadYaml(std::string_view text) {
  if (text.size() > kMaxYamlBytes) {
    return InvalidArgument(
        "{} bytes of YAML are more than the {} that are read; write large files as JSON",
        text.size(), kMaxYamlBytes);
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      return InvalidArgument(
          "{} YAML documents in one file; give one (a line \"---\" begins another)",
          documents.size());
    }
    TextValue value;
    if (!documents.empty()) {
      CANDOR_RETURN_IF_ERROR(Converter().Convert(documents.front(), 1, &value));
    }
    return value;
  } catch (const YAML::Exception& error) {
    if (error.mark.is_null()) return InvalidArgument("no YAML: {}", error.msg);
    return InvalidArgument("line {}, column {}: no YAML: {}", error.mark.line + 1,
                           error.mark.column + 1, error.msg);
  } catch (const std::exception& error) {
    return InvalidArgument("no YAML: {}", error.what());
  }
}

}  // namespace candor
