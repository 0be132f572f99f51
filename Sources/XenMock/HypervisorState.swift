import DequeModule
import XenCore
import XenEvtchn
import XenGrant
import XenSystem

/// What the hypervisor and the domains' kernels know. Guarded by `MockHypervisor`'s lock.
struct HypervisorState: Sendable {
    var domains: [DomainID: DomainState] = [:]
    var processes: [ProcessID: ProcessState] = [:]
    var shares: [UInt64: ShareState] = [:]
    var mappings: [UInt64: MappingState] = [:]
    /// What killed processes had mapped or shared, detached, until their last owner lets go.
    var remains: [UInt64: MappedFrames] = [:]
    /// Nil while all goes well.
    var faultPlan: FaultPlan?
    let underWay = NotificationsUnderWay()
    let awoken = AwokenSleepers()
    /// Shares and mappings that a resume has ended, until their owners let go.
    var ended: Set<UInt64> = []
    private var lastID: UInt64 = 0

    /// A number that was never used before: for processes, generations, shares and mappings.
    mutating func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }
}

/// A process while it lives.
struct ProcessID: Hashable, Comparable, Sendable {
    let rawValue: UInt64

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A process's handle on its event channels, in one life of its domain.
struct EventHandle: Hashable, Sendable {
    let process: ProcessID
    let epoch: Epoch
}

// Domains, processes and ports are objects, so that ringing a port changes them where they are.
// Safe to send: they are touched under `MockHypervisor`'s lock only.

final class ProcessState: @unchecked Sendable {
    let name: String
    let domain: DomainID
    /// Of the event handle that is in use; those before it are stale.
    private(set) var eventEpoch = Epoch.none.next
    /// Ports that the handle still believes to have, although a resume has ended them.
    var ghosts: Set<EventPort> = []
    private(set) var staleEventCount = 0
    /// Ports that have rung and wait to be read.
    private(set) var rung: Deque<EventPort> = []
    var isInterrupted = false
    /// The only domain that the event handle may still bind to.
    var restriction: DomainID?
    /// Whether a thread sleeps on the doorbell.
    var isWaiting = false
    /// Made by the first wait.
    var doorbell: Doorbell?
    /// For someone else's loop, once it was asked for: signalled exactly while `rung` has a port.
    var readiness: Doorbell?

    init(name: String, domain: DomainID) {
        self.name = name
        self.domain = domain
    }

    func queue(_ port: EventPort) {
        if rung.isEmpty { readiness?.wakeup.signal() }
        rung.append(port)
    }

    /// The handle is stale from now on, and the next one begins.
    func beginEventEpoch() {
        eventEpoch = eventEpoch.next
        staleEventCount += rung.count
        rung = []
        ghosts = []
        isInterrupted = false
        // Each handle has its own, so that a thread that still waits on the old one does not take the new one's.
        doorbell?.wakeup.signal()
        doorbell = nil
        readiness?.wakeup.signal()
        readiness = nil
    }

    /// An event of a handle that is stale.
    func countStaleEvent() { staleEventCount += 1 }

    func takeNext() -> EventPort? {
        guard let port = rung.popFirst() else { return nil }
        if rung.isEmpty { readiness?.wakeup.reset() }
        return port
    }

    func takeBack(_ port: EventPort) {
        rung.removeAll { $0 == port }
        if rung.isEmpty { readiness?.wakeup.reset() }
    }
}

/// One life of a domain.
final class DomainState: @unchecked Sendable {
    let generation: UInt64
    /// Changes also with each resume: grants and ports are of one incarnation.
    var incarnation: UInt64
    var isSuspended = false
    var hasShutDown = false
    var limits = MockLimits()

    /// Made by the first share.
    var memory: DomainMemory?
    var frameCount = 0
    var freeFrames: [Int] = []

    var grants: [GrantReference: GrantState] = [:]
    var freeReferences: [GrantReference] = []
    /// Linux never hands out the first eight; 0 is the console's and 1 the xenstore's.
    var firstUnusedReference: UInt32 = 8

    var ports: [EventPort: PortState] = [:]
    /// Who is rung by which virtual interrupt.
    var virtualInterrupts: [VirtualInterrupt: EventPort] = [:]
    /// No port below this one is free. Port 0 is reserved.
    var lowestFreePort: UInt32 = 1

    init(generation: UInt64) {
        self.generation = generation
        incarnation = generation
    }
}

extension HypervisorState {
    /// - Returns: the generation of the domain that now exists.
    mutating func createDomain(_ id: DomainID) -> UInt64 {
        if let domain = domains[id] { return domain.generation }
        let generation = nextID()
        domains[id] = DomainState(generation: generation)
        return generation
    }

    /// Nil when that life of the domain is over.
    func domain(_ id: DomainID, generation: UInt64) -> DomainState? {
        domains[id].flatMap { $0.generation == generation ? $0 : nil }
    }

    mutating func destroyDomain(_ id: DomainID, generation: UInt64) {
        guard domain(id, generation: generation) != nil else { return }
        for process in processes.filter({ $0.value.domain == id }).keys.sorted() {
            killProcess(process)
        }
        shares = shares.filter { $0.value.domain != id }
        domains[id] = nil
        _ = raise(.domainException, in: .dom0)
    }

    func shutDownDomain(_ id: DomainID, generation: UInt64) {
        guard let domain = domain(id, generation: generation) else { return }
        domain.hasShutDown = true
        _ = raise(.domainException, in: .dom0)
    }

    /// Nil when that life of the domain is over.
    mutating func startProcess(
        name: String, in id: DomainID, generation: UInt64
    ) -> ProcessID? {
        guard domain(id, generation: generation) != nil else { return nil }
        let process = ProcessID(rawValue: nextID())
        processes[process] = ProcessState(name: name, domain: id)
        return process
    }

    /// What the kernel does at a process's death: first its addresses go, then its files.
    mutating func killProcess(_ process: ProcessID) {
        guard let state = processes[process] else { return }
        for id in mappings.filter({ $0.value.process == process }).keys.sorted() {
            if let frames = releaseMapping(id) { keepRemains(frames, id) }
        }
        for id in shares.filter({ $0.value.process == process }).keys.sorted() {
            if let frames = abandonShare(id) { keepRemains(frames, id) }
        }
        let ports =
            domains[state.domain]?.ports.filter { $0.value.owner?.process == process } ?? [:]
        for port in ports.keys.sorted() { disown(port, of: state.domain) }
        processes[process] = nil
        state.doorbell?.wakeup.signal()
        state.readiness?.wakeup.signal()
    }

    private mutating func keepRemains(_ frames: MappedFrames, _ id: UInt64) {
        frames.detach()
        remains[id] = frames
    }
}
