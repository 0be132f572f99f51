import CStoreLoad
import Foundation
import StoreDaemons

extension Row {
    static var storeClients: Row {
        Row(
            name: "xs-client",
            summary:
                "our clients on Xen's C daemon, each in a process of its own: one request at a time on one processor "
                + "with the daemon, 16 in flight on any, beside the one of libxenstore and pyxs, which cannot have more; prepared packets in C show what the daemon takes of anyone's time"
        ) {
            guard DaemonKind.c.isInstalled else { return [] }
            let hasPyxs = Pyxs.isThere()
            let serial = try ClientStage(.oneProcessor, hasPyxs: hasPyxs)
            let inFlight = try ClientStage(.anyProcessor, hasPyxs: hasPyxs)
            let requests = [StoreRequest.read, .write, .transaction]
            return requests.map { serial.contest($0, by: .blocking, "blocking", atMost: 1 / 1.3) }
                + requests.map { serial.contest($0, by: .async, "async", atMost: 1 / 1.3) }
                + requests.map {
                    inFlight.contest($0, by: .inFlight, "16 in flight", atMost: 1 / 3)
                }
        }
    }
}

/// Who asks the daemon.
enum StoreAsker: String {
    case blocking
    case async
    /// Async, by 16 tasks.
    case inFlight = "in-flight"
    case libxenstore
    case pyxs
}

/// The daemon, and a process for each client and request, which waits to be told how often.
private final class ClientStage {
    private let placement: Placement
    private let daemon: StoreProcess
    private let hasPyxs: Bool

    init(_ placement: Placement, hasPyxs: Bool) throws {
        self.placement = placement
        self.hasPyxs = hasPyxs
        daemon = try StoreProcess(.daemon(.c), placement)
        try daemon.fill()
    }

    func contest(
        _ request: StoreRequest, by asker: StoreAsker, _ name: String, atMost bar: Double
    ) -> Contest {
        var peers: [Contender] = []
        #if LibXen
            peers.append(
                contender(.libxenstore, request, bar: .atMost(bar)))
        #endif
        peers.append(least(request, inFlight: asker == .inFlight ? 16 : 1))
        if hasPyxs { peers.append(contender(.pyxs, request)) }
        return Contest(
            name: "\(request == .transaction ? "transaction" : request.name), \(name)",
            measure: .time(per: request.item), share: 0.8, leastCount: 64,
            remark: hasPyxs ? nil : "without pyxs, which PyPI has",
            ours: contender(asker, request), peers: peers)
    }

    /// What the daemon and the way to it take of anyone's time.
    private func least(_ request: StoreRequest, inFlight: UInt32) -> Contender {
        var load: StoreLoad?
        return Contender(name: "prepared packets in C") { [daemon] count in
            let running = try load ?? StoreLoad(daemon)
            load = running
            return Outcome(
                sum: try running.run(cstore_plan(request.work, inFlight: inFlight), count).sum)
        }
    }

    private func contender(
        _ asker: StoreAsker, _ request: StoreRequest, bar: Bar? = nil
    ) -> Contender {
        // One after another: the daemon's queue of those who want to connect has room for one.
        var worker: Worker?
        let name =
            switch asker {
            case .blocking, .async, .inFlight: "ours"
            case .libxenstore, .pyxs: asker.rawValue
            }
        return Contender(name: name, bar: bar) { [daemon, placement] count in
            let running = try worker ?? Worker(asker, request, placement, socket: daemon.socket)
            worker = running
            return try running.carry(count)
        }
    }
}

/// A process that does as many requests as a line of its input says, and answers each line with the nanoseconds that
/// they took and the sum over what was read.
private final class Worker {
    private let child: ChildProcess
    private let orders: Pipe
    private let reports: Pipe

    init(
        _ asker: StoreAsker, _ request: StoreRequest, _ placement: Placement, socket: String
    ) throws {
        let (orders, reports) = (Pipe(), Pipe())
        let (program, arguments) = Self.command(asker, request)
        child = try placement.during {
            try ChildProcess(
                program, arguments, environment: ["XENSTORED_PATH": socket],
                input: orders.fileHandleForReading.fileDescriptor,
                output: reports.fileHandleForWriting.fileDescriptor)
        }
        try orders.fileHandleForReading.close()
        try reports.fileHandleForWriting.close()
        (self.orders, self.reports) = (orders, reports)
    }

    private static func command(
        _ asker: StoreAsker, _ request: StoreRequest
    ) -> (program: String, arguments: [String]) {
        switch asker {
        case .pyxs: (Pyxs.python, Pyxs.arguments(request))
        default: ("/proc/self/exe", ["--ask", asker.rawValue, "\(request)"])
        }
    }

    func carry(_ count: UInt64) throws -> Outcome {
        try orders.fileHandleForWriting.write(contentsOf: Data("\(count)\n".utf8))
        let numbers = readLine().split(separator: " ").compactMap { UInt64($0) }
        guard numbers.count == 2 else {
            throw StoreLoadFailure(description: "a client of the store failed")
        }
        return Outcome(sum: numbers[1], amount: Double(numbers[0]))
    }

    /// Without its end. Empty when the process has ended.
    private func readLine() -> String {
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let data = reports.fileHandleForReading.availableData
            guard !data.isEmpty else { return "" }
            line += data
        }
        return String(decoding: line.dropLast(), as: UTF8.self)
    }
}
