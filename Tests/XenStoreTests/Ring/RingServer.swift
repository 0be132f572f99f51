import Synchronization
import XenCore
import XenEvtchn
import XenMock
import XenRing
import XenStoreWire
import XenSystem

/// A server's end of a store page, with a thread: it answers every READ with the number of its connection.
final class RingServer: Sendable {
    private struct State {
        var connectionCount = 1
        var isStopped = false
        /// Whether it answers requests to connect.
        var answersResets = true
        /// What it offers after the next reset.
        var nextFeatures: ServerFeatures?
    }

    let page: StorePage
    /// The client's side.
    let clientEvents: EventChannels
    private let clientPort: Mutex<EventPort>
    private let memory: PageMemory
    private let events: EventChannels
    private let channel: EventChannel
    private let state = Mutex(State())
    private let thread = Mutex<PlatformThread?>(nil)

    init(
        features: ServerFeatures = [.reconnection, .error], connection: RingConnection = .connected
    ) throws {
        let hypervisor = MockHypervisor()
        let guest = hypervisor.domain(DomainID(3)).startProcess(name: "guest")
        let server = hypervisor.domain(.dom0).startProcess(name: "server")
        memory = PageMemory()
        page = StorePage(memory.view)
        page.features = features
        page.connection = connection
        clientEvents = EventChannels(guest.events)
        let port = try guest.events.bindUnbound(for: .dom0)
        clientPort = Mutex(port)
        events = EventChannels(server.events)
        channel = try events.bindInterdomain(to: port, of: DomainID(3))
    }

    /// The client's end of the channel, to be owned once.
    var clientChannel: EventChannel { clientEvents.adopt(clientPort.withLock { $0 }) }

    func start() throws {
        var started: PlatformThread? = try PlatformThread { self.run() }
        thread.withLock { $0 = started.take() }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        events.interrupt()
        thread.withLock { $0.take() }?.join()
    }

    func answerResets(_ answers: Bool) {
        state.withLock { $0.answersResets = answers }
        events.interrupt()
    }

    func offerAfterReset(_ features: ServerFeatures) {
        state.withLock { $0.nextFeatures = features }
    }

    /// Stops serving the ring, as for a client that broke the protocol.
    func fail(_ fault: RingFault) throws {
        page.fault = fault
        try channel.notify()
    }

    /// Claims what it cannot have written.
    func corruptIndex() throws {
        memory.view.store([0xFF, 0xFF, 0xFF, 0x7F], at: 2060)
        try channel.notify()
    }

    private func run() {
        var end = ByteRingEnd.xenstoreServer(page.memory)
        var parser = PacketParser()
        var waiting: [UInt8] = []
        while !state.withLock({ $0.isStopped }) {
            if page.connection == .reconnecting {
                if reset() {
                    end = .xenstoreServer(page.memory)
                    (parser, waiting) = (PacketParser(), [])
                    try? channel.notify()
                }
            } else if page.fault == .none {
                serve(&end, &parser, &waiting)
            }
            if let event = try? events.wait(until: .after(.seconds(1))) { try? event.unmask() }
        }
    }

    private func reset() -> Bool {
        state.withLock { state in
            guard state.answersResets else { return false }
            state.connectionCount += 1
            page.emptyRings()
            page.fault = .none
            if let features = state.nextFeatures { page.features = features }
            page.connection = .connected
            return true
        }
    }

    private func serve(
        _ end: inout ByteRingEnd, _ parser: inout PacketParser, _ waiting: inout [UInt8]
    ) {
        var bytes: [UInt8] = []
        var mustNotify = false
        do {
            while true {
                let taken = try end.reader.read(appendingTo: &bytes, upTo: 1024)
                parser.append(bytes)
                bytes = []
                while let packet = try parser.next() { waiting += try answers(to: packet) }
                let given = try end.writer.write(waiting.span)
                waiting.removeFirst(given.byteCount)
                mustNotify = mustNotify || taken.notification == .required
                mustNotify = mustNotify || given.notification == .required
                if mustNotify { try channel.notify() }
                if taken.byteCount == 0, given.byteCount == 0 { return }
            }
        } catch { page.fault = .protocolViolation }
    }

    private func answers(to packet: Packet) throws -> [UInt8] {
        let number = state.withLock { $0.connectionCount }
        let payload: [UInt8] =
            switch packet.operation {
            case .read: Array("\(number)".utf8)
            case .control: packet.payload
            default: Reply.acknowledgement
            }
        var bytes = try Packet(
            packet.operation, requestID: packet.requestID, payload: payload
        ).bytes
        if packet.operation == .watch {
            bytes += try Packet(.watchEvent, requestID: 0, payload: packet.payload).bytes
        }
        return bytes
    }
}
