import Synchronization
import XenCore
import XenStoreWire
import XenSystem

/// The open device, shared by a transport and the thread that writes for it, whichever of them lasts longer.
final class DeviceWriter: Sendable {
    /// Writes a packet to the device.
    typealias Write = @Sendable (borrowing OwnedDescriptor, [UInt8]) throws(SystemFailure) -> Int

    private struct State {
        /// What the thread is to write.
        var message: [UInt8]?
        /// From when a message is handed over until the device has taken it.
        var isWriting = false
        /// ERROR packets for what the device refused.
        var refusals: [UInt8] = []
        /// Whether the last read took all that it had room for, and may have ended within a packet.
        var mayBeWithinPacket = false
        /// Why the device cannot be used any more.
        var failure: StoreError?
    }

    /// Writes of this process that did not return although their connection has ended.
    private static let leftBehindCount = Atomic(0)
    /// How many of them there may be: each has a thread and a descriptor.
    private static let leftBehindLimit = 8

    let wakeup: Wakeup
    private let device: OwnedDescriptor
    private let name: String
    private let write: Write
    private let state = Mutex(State())
    private let work = ThreadSignal()

    init(
        _ device: consuming OwnedDescriptor, name: String, _ write: @escaping Write
    ) throws(StoreError) {
        guard Self.leftBehindCount.load(ordering: .relaxed) < Self.leftBehindLimit else {
            throw StoreError(
                .unavailable,
                "\(name) has not taken \(Self.leftBehindLimit) requests of earlier connections; is the store alive?"
            )
        }
        do { wakeup = try Wakeup() } catch {
            throw StoreError(.unavailable, "no descriptor left to wake a thread with: \(error)")
        }
        self.device = device
        self.name = name
        self.write = write
    }

    // MARK: - The transport

    /// Hands a packet to the thread. False while that still writes the last one.
    func take(_ message: [UInt8]) throws(StoreError) -> Bool {
        let taken = state.withLock { state -> Result<Bool, StoreError> in
            if let failure = state.failure { return .failure(failure) }
            guard !state.isWriting else { return .success(false) }
            state.isWriting = true
            state.message = message
            return .success(true)
        }
        work.signal()
        return try taken.get()
    }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        if !state.withLock({ $0.mayBeWithinPacket }), let count = takeRefusals(into: &buffer) {
            return count
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
        let count: Int?
        do { count = try device.readAvailable(into: &buffer) } catch { throw lost("\(error)") }
        state.withLock { $0.mayBeWithinPacket = count == buffer.count }
        return count ?? takeRefusals(into: &buffer)
    }

    private func takeRefusals(into buffer: inout [UInt8]) -> Int? {
        let part = state.withLock { state in
            let part = Array(state.refusals.prefix(buffer.count))
            state.refusals.removeFirst(part.count)
            return part
        }
        buffer.replaceSubrange(..<part.count, with: part)
        return part.isEmpty ? nil : part.count
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        let isReady = state.withLock {
            $0.failure != nil || !$0.refusals.isEmpty || (forWriting && !$0.isWriting)
        }
        guard !isReady else { return }
        do {
            let ready = try waitUntilReadable(
                device.rawValue, or: wakeup.descriptor, until: deadline)
            if ready.second { wakeup.reset() }
        } catch { throw lost("\(error)") }
    }

    /// Ends the thread, unless the kernel keeps it: then it ends when the kernel lets it go.
    func close() {
        state.withLock { state in
            guard state.failure == nil else { return }
            state.failure = lost("it was closed")
            if state.isWriting { Self.leftBehindCount.add(1, ordering: .relaxed) }
        }
        work.signal()
        wakeup.signal()
    }

    // MARK: - The thread

    func run() {
        while true {
            let (message, isOver) = state.withLock { state in
                (state.message.take(), state.failure != nil)
            }
            if let message {
                finish(message, isOver ? .success(message.count) : result(of: message))
            } else if isOver {
                return
            } else {
                work.wait(until: nil)
            }
        }
    }

    private func result(of message: [UInt8]) -> Result<Int, SystemFailure> {
        do throws(SystemFailure) { return .success(try write(device, message)) } catch {
            return .failure(error)
        }
    }

    private func finish(_ message: [UInt8], _ result: Result<Int, SystemFailure>) {
        state.withLock { state in
            state.isWriting = false
            guard state.failure == nil else {
                Self.leftBehindCount.subtract(1, ordering: .relaxed)
                return
            }
            switch result {
            case .success(message.count): break
            case .success(let count):
                state.failure = lost("it took \(count) bytes of \(message.count)")
            case .failure(let failure) where failure.errorNumber == .badDescriptor:
                state.failure = lost("\(failure)")
            case .failure(let failure): state.refusals += Self.refusal(of: message, failure)
            }
        }
        wakeup.signal()
    }

    /// What a store would have answered.
    private static func refusal(of message: [UInt8], _ failure: SystemFailure) -> [UInt8] {
        var parser = PacketParser()
        parser.append(message[...])
        guard let request = try? parser.next(),
            let refusal = try? Packet(
                .error, requestID: request.requestID, transaction: request.transaction,
                payload: StoreErrorName(failure.errorNumber).payload)
        else { return [] }
        return refusal.bytes
    }

    private func lost(_ why: String) -> StoreError {
        StoreError(.disconnected, "the connection to \(name) failed: \(why)")
    }
}
