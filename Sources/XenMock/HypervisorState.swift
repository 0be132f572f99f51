import DequeModule
import XenCore
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
    private var lastID: UInt64 = 0

    /// A number that was never used before: for processes, generations, shares and mappings.
    mutating func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }
}

/// A process while it lives.
struct ProcessID: Hashable, Sendable {
    let rawValue: UInt64
}

// Domains, processes and ports are objects, so that ringing a port changes them where they are.
// Safe to send: they are touched under `MockHypervisor`'s lock only.

final class ProcessState: @unchecked Sendable {
    let name: String
    let domain: DomainID
    /// Ports that have rung and wait to be read. A port that was closed since is skipped.
    var rung: Deque<EventPort> = []
    var isInterrupted = false
    /// Whether a thread sleeps on the doorbell.
    var isWaiting = false
    /// Made by the first wait.
    var doorbell: Doorbell?

    init(name: String, domain: DomainID) {
        self.name = name
        self.domain = domain
    }
}

/// What a waiting thread sleeps on.
final class Doorbell: Sendable {
    let wakeup: Wakeup
    init() throws(SystemFailure) { wakeup = try Wakeup() }
}

/// One life of a domain.
final class DomainState: @unchecked Sendable {
    let generation: UInt64
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
    /// No port below this one is free. Port 0 is reserved.
    var lowestFreePort: UInt32 = 1

    init(generation: UInt64) { self.generation = generation }
}

extension HypervisorState {
    /// - Returns: the generation of the domain that now exists.
    mutating func createDomain(_ id: DomainID) -> UInt64 {
        if let domain = domains[id] { return domain.generation }
        let generation = nextID()
        domains[id] = DomainState(generation: generation)
        return generation
    }

    mutating func destroyDomain(_ id: DomainID, generation: UInt64) {
        guard domains[id]?.generation == generation else { return }
        for (process, state) in processes where state.domain == id { killProcess(process) }
        shares = shares.filter { $0.value.domain != id }
        domains[id] = nil
    }

    /// Nil when that life of the domain is over.
    mutating func startProcess(
        name: String, in domain: DomainID, generation: UInt64
    ) -> ProcessID? {
        guard domains[domain]?.generation == generation else { return nil }
        let process = ProcessID(rawValue: nextID())
        processes[process] = ProcessState(name: name, domain: domain)
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
        let ports = domains[state.domain]?.ports.filter { $0.value.owner == process } ?? [:]
        for port in ports.keys.sorted() { disown(port, of: state.domain) }
        processes[process] = nil
        state.doorbell?.wakeup.signal()
    }

    private mutating func keepRemains(_ frames: MappedFrames, _ id: UInt64) {
        frames.detach()
        remains[id] = frames
    }
}
