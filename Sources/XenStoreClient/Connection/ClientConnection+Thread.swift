import Synchronization
import XenCore
import XenStoreWire
import XenSystem

extension ClientConnection {
    /// How long one attempt to connect may hold the thread up, and with it the deadlines of requests that begin
    /// meanwhile. A server that takes longer is met by a later attempt.
    private static let attemptTime = Duration.milliseconds(5)

    /// How many times the thread reads before it looks at deadlines again.
    private static let readLimit = 64

    /// Serves until the connection has ended for good.
    func run() {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let (step, news, toClose) = state.withLock { $0.step(.now) }
            news.resume()
            toClose?.close()
            switch step {
            case .stop: return
            case .connect(let deadline): connect(before: deadline)
            case .pause(let until):
                // A failure of poll(2) with one descriptor of our own ends the pause early.
                try? waitUntilReadable(idle.descriptor, until: until)
                idle.reset()
            case .serve(let link, let until, let hasOutput):
                do throws(StoreError) {
                    try serve(link, until: until, hasOutput, &buffer)
                } catch { lose(link.epoch, error) }
            }
        }
    }

    private func connect(before deadline: Deadline) {
        do throws(StoreError) {
            let transport = try connector.connect(until: min(deadline, .after(Self.attemptTime)))
            state.withLock { state -> Resumptions in
                state.adopt(transport, now: .now)
                return state.news()
            }.resume()
        } catch {
            state.withLock {
                $0.core.couldNotConnect(now: .now, random: .random(in: .min ... .max))
            }
        }
    }

    private func serve(
        _ link: ConnectionState.Link, until deadline: Deadline, _ hasOutput: Bool,
        _ buffer: inout [UInt8]
    ) throws(StoreError) {
        try link.transport.wait(forWriting: hasOutput, until: deadline)
        try receive(link, &buffer)
        let failure = state.withLock { state in
            _ = state.flush()
            return state.link?.failure
        }
        if let failure { try end(link, failure, &buffer) }
    }

    /// Reads what the server said before it went, which counts; then throws.
    private func end(
        _ link: ConnectionState.Link, _ failure: StoreError, _ buffer: inout [UInt8]
    ) throws(StoreError) {
        for _ in 0..<Self.readLimit {
            guard try receiveOnce(link, &buffer) != nil else { break }
        }
        throw failure
    }

    private func receive(
        _ link: ConnectionState.Link, _ buffer: inout [UInt8]
    ) throws(StoreError) {
        for _ in 0..<Self.readLimit {
            // Less than a full buffer was all that there was, most likely.
            guard try receiveOnce(link, &buffer) == buffer.count else { return }
        }
    }

    /// Returns how many bytes came; nil when there is nothing now.
    private func receiveOnce(
        _ link: ConnectionState.Link, _ buffer: inout [UInt8]
    ) throws(StoreError) -> Int? {
        guard let count = try link.transport.read(into: &buffer) else { return nil }
        guard count > 0 else { throw .serverHasClosed }
        let bytes = buffer[..<count]
        let (failure, news) = state.withLock { state -> (StoreError?, Resumptions) in
            do throws(StoreError) {
                try state.receive(bytes, in: link.epoch)
                return (nil, state.news())
            } catch { return (error, state.news()) }
        }
        news.resume()
        if let failure { throw failure }
        return count
    }
}
