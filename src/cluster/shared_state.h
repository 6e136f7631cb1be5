// ClusterState for many threads: one plain mutex, and the rules by which concurrent readers of one
// engine publish what they read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/check.h"
#include "base/text.h"
#include "cluster/calling_out.h"
#include "core/cluster_state.h"
#include "swarmlib/clock.h"

namespace swarm {

// One engine's stay in the cluster. An address that leaves and comes back is another member; what
// is published for a member that has left is ignored.
using Member = std::uint64_t;

// A place that is held for a create under way.
struct HeldPlace {
  Reservation reservation;
  Member member = 0;  // of reservation.placement.node
};

// A container as a whole reading of its engine found it.
struct ReadRow {
  // The entry that was published when the row was read, and says the same; or null.
  ContainerPointer same;
  std::unique_ptr<ContainerRecord> record;  // otherwise; null: it is gone

  bool is_gone() const { return !same && !record; }
  const Container& container() const { return same ? same->container : record->container; }
};

// Ids of containers; views of what outlives the set.
using IdViews = absl::flat_hash_set<std::string_view>;

// So many containers are read or published in one turn of a loop, and with the state locked once.
inline constexpr std::size_t kMaxRowsAtOnce = 32;
// And no further one behind so many bytes of a list.
inline constexpr std::size_t kMaxRowBytesAtOnce = 64U << 10U;

// The images of an engine.
struct EngineContents {
  std::vector<Image> images;
  std::vector<std::string> image_rows;
  bool has_images = true;  // false: those that are known stay
};

// Thread-safe. No call waits for anything but the mutex.
class SharedState {
 public:
  SharedState(StateOptions options, std::vector<std::unique_ptr<Filter>> filters,
              std::unique_ptr<Strategy> strategy, std::uint64_t seed);

  // Calls `look` with the state locked.
  template <typename Look>
  auto With(Look look) const {
    CheckNotCallingOut();
    const std::lock_guard lock(mutex_);
    return look(state_);
  }
  // The same for what changes neither nodes nor what engines hold: Plan and the three short
  // reservations.
  template <typename Change>
  auto Reserve(Change change) {
    CheckNotCallingOut();
    const std::lock_guard lock(mutex_);
    return change(state_);
  }

  // As Cluster::Containers; the list is made once a generation.
  std::shared_ptr<const std::vector<ContainerPointer>> Containers() const;

  // --- membership
  // ------------------------------------------------------------------------------------------
  Member Join(Node pending);
  // Drops the node with all it holds. Creates whose outcome was unknown give their places back.
  void Leave(Member member);
  void SetNode(Member member, Node node);
  // Takes the engine ID for this member, giving up another it held. The address of the member that
  // has the ID already, or empty.
  std::string ClaimId(Member member, std::string_view id);
  // The same, of a member that does not answer any more: an engine that has moved to another
  // address. That one loses all it holds. False, and nothing is changed, when it is not unhealthy.
  bool TakeOverId(Member member, std::string_view id);
  void ReleaseId(Member member);
  // No containers, no images: the address answers for another engine now.
  void Empty(Member member);

  // --- what engines hold
  // ----------------------------------------------------------------------------------- Numbers a
  // reading before it is asked for. Of two readings of one container the one that was begun later
  // is published, in whatever order they end. Every Begin has its End.
  std::uint64_t BeginRead(Member member);
  void EndRead(Member member, std::uint64_t read);
  // One container as read; without `record` it is gone. A create that is held for it is settled by
  // it.
  void PublishContainer(Member member, std::uint64_t read, std::string_view id,
                        const ContainerRecord* record);
  // A container's health as an event told it: healthy, unhealthy or starting. False, and nothing is
  // changed, when the container must be read for it: it is not known, its row shows the health in
  // its own words, or a reading is under way, which may have begun before the event.
  bool PublishHealth(Member member, std::string_view id, std::string_view health);
  // A container that was started just now: running, with the ports that it was to take, until it is
  // read. `read` was begun before its engine was asked. False, and nothing is changed, when it is
  // not known, or something newer is.
  bool PublishStart(Member member, std::uint64_t read, std::string_view id, WallTime now);
  // As ClusterState::TakeClashNotes.
  std::vector<ClashNote> TakeClashNotes();
  void PublishImages(Member member, std::uint64_t read, EngineContents contents);
  // A whole reading is published in steps of at most kMaxRowsAtOnce containers, so that nobody
  // waits long for the mutex; others may publish in between. First what it does not show is erased,
  // until EraseAbsent, which takes what it returned before, returns an empty string.
  std::string EraseAbsent(Member member, std::uint64_t read, const IdViews& present,
                          std::string_view after);
  // Then its rows, which are moved from, with `node` as PublishAll will publish it.
  void PublishRows(Member member, std::uint64_t read, const NodePointer& node,
                   std::span<ReadRow> rows);
  // Then the rest: the node's description and images. Creates in doubt that the reading, begun at
  // `began`, does not show give their places back, if it was begun after their doubt and not before
  // the time that Doubt was given.
  void PublishAll(Member member, std::uint64_t read, TimePoint began, Node node,
                  EngineContents contents);

  // --- creates
  // ---------------------------------------------------------------------------------------------
  // True when Place and Explain of the spec may take long, with the state locked for parts of that
  // time only: filters of the embedding program, or patterns over many containers.
  bool TakesSteps(const ContainerSpec& spec) const;
  // Both call filters of the embedding program while the state is not locked.
  absl::StatusOr<HeldPlace> Place(const ContainerSpec& spec);
  absl::StatusOr<Explanation> Explain(const ContainerSpec& spec) const;
  // The container was not made. Unknown or settled already: nothing happens.
  void GiveBack(std::uint64_t ticket);
  // Nobody knows whether it was made or still will be: the place stays held until a reading shows
  // the container, until a whole reading begun at `until` or later does not, or until the node
  // leaves.
  void Doubt(std::uint64_t ticket, TimePoint until);
  // As PublishContainer, for the create that holds `ticket`.
  void Settle(std::uint64_t ticket, Member member, std::uint64_t read,
              const ContainerRecord& record);

 private:
  struct Stay {
    std::string address;
    std::string id;
    std::uint64_t last_read = 0;
    std::set<std::uint64_t> open;        // readings under way
    StringMap<std::uint64_t> published;  // container id → the reading it was published from
  };
  struct Held {
    Member member = 0;
    std::string swarm_id;
    bool in_doubt = false;
    std::uint64_t doubted_at = 0;  // Stay::last_read then
    TimePoint doubted_until{};
  };

  // A lock that is taken twice would wait for itself.
  static void CheckNotCallingOut() {
    SWARM_CHECK(!CallingOut::Now(), "a filter or strategy does not use the cluster");
  }
  bool PatternsTakeLong(const ContainerSpec& spec) const;
  // The steps of Place and Explain where TakesSteps; `patterns` is what PatternsTakeLong says.
  absl::StatusOr<HeldPlace> PlaceInSteps(const ContainerSpec& spec, bool patterns);
  absl::StatusOr<Explanation> ExplainInSteps(const ContainerSpec& spec, bool patterns) const;
  HeldPlace Hold(Reservation reservation);
  Stay* Find(Member member);
  bool Newest(Stay& stay, std::uint64_t read, std::string_view key);
  // True when something from a reading that was begun after `read` is published.
  static bool HasNewer(const Stay& stay, std::uint64_t read, std::string_view key);
  void PublishRow(Member member, const Stay& stay, std::uint64_t read, const NodePointer& node,
                  ReadRow& row);
  // The ticket of the create on `member` that has this swarm id.
  std::optional<std::uint64_t> TicketOf(Member member, const std::string& swarm_id) const;
  void SettleBySwarmId(Member member, const ContainerRecord& record);
  // Gives the place back.
  void Drop(std::uint64_t ticket);
  void Forget(std::uint64_t ticket);

  mutable std::mutex mutex_;
  Random random_;
  ClusterState state_;
  Member last_member_ = 0;
  std::unordered_map<Member, Stay> stays_;
  StringMap<Member> members_;           // by address
  StringMap<Member> ids_;               // engine id → its member
  std::map<std::uint64_t, Held> held_;  // by ticket
  StringMap<std::uint64_t> tickets_;    // by swarm id
  mutable std::shared_ptr<const std::vector<ContainerPointer>> list_;
  mutable std::uint64_t list_generation_ = 0;
};

}  // namespace swarm
