import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenRing
import XenSystem

/// One connection of a backend: a thread that takes requests from the ring and answers them.
final class BlockServer: Sendable {
    private let work: Mutex<Work?>
    private let events: EventChannels
    private let isStopping = Atomic(false)
    private let ended = Completion()
    private let counted = Mutex(BlockBackendStatistics())

    /// What the thread alone uses; it takes it when it starts, and lets go of it when it ends.
    private struct Work: ~Copyable {
        let ring: GrantMapping
        let channel: EventChannel
        let storage: any BlockStorage
        let pages: GrantedPages
        let log: @Sendable (String) -> Void
    }

    init(
        ring: consuming GrantMapping, channel: consuming EventChannel, storage: any BlockStorage,
        pages: sending GrantedPages, events: EventChannels,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.events = events
        work = Mutex(
            Work(ring: ring, channel: channel, storage: storage, pages: pages, log: log))
    }

    var statistics: BlockBackendStatistics { counted.withLock { $0 } }

    func start(reportFailure: @escaping @Sendable (any Error) -> Void) throws {
        let thread = try PlatformThread { [self] in
            if let work = work.withLock({ $0.take() }) {
                do { try serve(work) } catch { reportFailure(error) }
            }
            ended.complete()
        }
        // Not joined: whoever stops us waits for `ended` without blocking a thread.
        _ = consume thread
    }

    /// Lets the thread end after the request that it is at.
    ///
    /// - Returns: whether it has, and let go of all that is the frontend's.
    func stop(until deadline: Deadline) async -> Bool {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        events.interrupt()
        return await ended.wait(until: deadline)
    }

    private var goesOn: Bool { !isStopping.load(ordering: .sequentiallyConsistent) }

    private func serve(_ work: consuming Work) throws {
        // Safe: the mapping is in `work`, which outlives the ring in this function.
        var ring = unsafe BackRing<BlockRequest, BlockResponse>(attachingTo: work.ring.memory)
        while goesOn {
            while goesOn, let request = try ring.next() {
                ring.push(answer(request, work))
                if ring.publish() == .required {
                    counted.withLock { $0.notificationCount += 1 }
                    try work.channel.notify()
                }
            }
            guard goesOn, let event = try events.wait(until: .after(.seconds(3600))) else {
                continue
            }
            try event.unmask()
        }
    }

    private func answer(_ request: BlockRequest, _ work: borrowing Work) -> BlockResponse {
        var status = BlockStatus.okay
        var byteCount = 0
        do {
            let command = try request.command(
                sectorCount: work.storage.sectorCount, isReadOnly: work.storage.isReadOnly)
            byteCount = try carryOut(command, work)
        } catch {
            status = (error as? BlockRequestFault)?.status ?? .error
            work.log("request \(request.id): \(error)")
        }
        counted.withLock {
            $0.requestCount += 1
            $0.byteCount += UInt64(byteCount)
            if status != .okay { $0.errorCount += 1 }
        }
        return BlockResponse(to: request, status)
    }

    /// - Returns: the bytes that went from or to the storage.
    private func carryOut(_ command: BlockCommand, _ work: borrowing Work) throws -> Int {
        let storage = work.storage
        switch command {
        case .read(let sector, let segments):
            try work.pages.withParts(segments, access: .readWrite) { parts in
                try storage.read(at: sector * UInt64(BlockSector.byteCount), into: parts)
            }
            return segments.reduce(0) { $0 + $1.byteCount }
        case .write(let sector, let segments):
            try work.pages.withParts(segments, access: .readOnly) { parts in
                try storage.write(at: sector * UInt64(BlockSector.byteCount), from: parts)
            }
            return segments.reduce(0) { $0 + $1.byteCount }
        case .flush:
            try storage.flush()
            return 0
        case .discard(let sector, let sectorCount):
            try storage.discard(
                at: sector * UInt64(BlockSector.byteCount),
                byteCount: sectorCount * UInt64(BlockSector.byteCount))
            return 0
        }
    }
}
