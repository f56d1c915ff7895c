#pragma once

#include <string>

#include "gibbon/entity.hpp"

/// The rows of Kong's entities, one file for each, and what several of them share.
namespace gibbon::config::rows {

Entity services();
Entity routes();
Entity consumers();
Entity plugins();
Entity upstreams();
Entity targets();
Entity certificates();
Entity snis();
Entity ca_certificates();
Entity vaults();

Field id();
Field created_at();
Field updated_at();
Field tags();
/// A unique name that may stand for the id in a path.
Field name(std::string description);
Field protocol();
Field port(std::string description);
/// A path of a request: "/...", without empty segments.
Field path();
Field header_name();

Field is_one_of(std::vector<Literal> values);
Field is_not_one_of(std::vector<Literal> values);

}  // namespace gibbon::config::rows
