import DequeModule
import XenCore
import XenStoreWire

extension ClientCore {
    /// A connection was made: an epoch begins, in which the watches are set again and what is safe is sent again.
    mutating func connected(_ traits: LinkTraits, now: Deadline) {
        guard end == nil else { return }
        epoch = epoch.next
        link = .connected
        self.traits = traits
        loseWatches()
        restoreWatches(now)
    }

    /// The connection was lost: what cannot go on ends, and an attempt to connect is due later.
    ///
    /// - Parameter random: any number, for the pause.
    mutating func disconnected(_ reason: StoreError, now: Deadline, random: UInt64) {
        guard link == .connected else { return }
        guard canReconnect else { return finish(reason) }
        settleRequests(reason)
        resetStream()
        schedule(now, random)
    }

    /// An attempt to connect has failed: the next one is due later.
    mutating func couldNotConnect(now: Deadline, random: UInt64) {
        if case .lost = link { schedule(now, random) }
    }

    /// There will be no other connection: whoever waits is told, and every watch says so once its events are taken.
    mutating func finish(_ reason: StoreError) {
        guard end == nil else { return }
        for handle in requests.handles {
            guard let pending = requests[handle] else { continue }
            removeRequest(handle)
            switch pending.fate(handedOver: output.handedOver, reason) {
            case .forgotten: continue
            case .sentAgain: complete(handle, .failure(reason))
            case .failed(let error): complete(handle, .failure(error))
            }
        }
        queue.removeAll()
        queuedEndCount = 0
        resetStream()
        link = .ended(reason)
        for id in watches.keys {
            watches[id]?.queue.finish(reason)
            signal(id)
        }
    }

    private mutating func schedule(_ now: Deadline, _ random: UInt64) {
        let pause = policy.pause(before: attemptCount, random: random)
        attemptCount += 1
        link = .lost(retryAt: now + pause)
    }

    private mutating func resetStream() {
        parser = PacketParser()
        output = OutgoingPackets()
        unansweredCount = 0
        unknownOperations = 0
        complaint = nil
    }

    /// Decides what becomes of each request, and keeps the order of those that are sent in the next epoch.
    private mutating func settleRequests(_ reason: StoreError) {
        var encoded: [(start: UInt64, handle: RequestHandle)] = []
        for handle in requests.handles {
            guard let pending = requests[handle] else { continue }
            switch pending.fate(handedOver: output.handedOver, reason) {
            case .forgotten: removeRequest(handle)
            case .failed(let error):
                removeRequest(handle)
                complete(handle, .failure(error))
            case .sentAgain:
                guard case .encoded(let start) = pending.stage else { continue }
                encoded.append((start, handle))
                requests[handle]?.stage = .queued
            }
        }
        encoded.sort { $0.start < $1.start }
        queue.prepend(contentsOf: encoded.map(\.handle))
    }

    /// Every watch is to be set again.
    private mutating func loseWatches() {
        restoringCount = 0
        unrestored = []
        for id in watches.keys.sorted() where watches[id]?.stage != .registering {
            watches[id]?.stage = .restoring(until: .never)
            unrestored.append(id)
        }
    }

    /// Sets the next watches again, before anything else is sent.
    mutating func restoreWatches(_ now: Deadline) {
        let deadline = now + patience
        var batch: [RequestHandle] = []
        while batch.count < Self.restorationLimit, let id = unrestored.first {
            if let watch = watches[id] {
                let pending = PendingRequest(
                    request: watch.registration(id, in: epoch), scope: .none, deadline: deadline,
                    purpose: .restoration(id), stage: .queued)
                guard let handle = requests.insert(pending) else { break }
                watches[id]?.stage = .restoring(until: deadline)
                batch.append(handle)
            }
            unrestored.removeFirst()
        }
        guard !batch.isEmpty else { return }
        restoringCount = batch.count
        queue.prepend(contentsOf: batch)
        look(notLaterThan: deadline)
    }
}
