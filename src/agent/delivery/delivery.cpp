#include "agent/delivery/delivery.hpp"

#include "agent/delivery/loop.hpp"

namespace gibbon::agent {

Delivery::Delivery(DeliveryOptions options) : loop_(std::make_unique<Loop>(std::move(options))) {}
Delivery::~Delivery() = default;

Status Delivery::start() { return loop_->start(); }
void Delivery::publish(std::shared_ptr<const config::Snapshot> snapshot) { loop_->publish(std::move(snapshot)); }
void Delivery::reopen() { loop_->reopen(); }
void Delivery::stop(std::chrono::milliseconds drain) { loop_->stop(drain); }
DeliveryMetrics Delivery::metrics() const { return loop_->metrics(); }

}  // namespace gibbon::agent
