import ArgumentParser
import XenCore
import XenEvtchn
import XenGrant
import XenStoreClient
import XenSystem

/// `xen-lab-agent call`: writes a number into a guest's page, rings, and waits for its answer, again and again until
/// none comes. It says why, lets go of all, and stays, so that what it might still hold can be seen.
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Calls a guest's `answer` until it falls silent.")

    @Option(help: "The guest.") var domain: UInt16
    @Option(help: "How many milliseconds an answer may take.") var patience = 2000

    func run() async throws {
        let handles = try Handles()
        let store = try StoreClient.connect()
        let domain = DomainID(self.domain)
        let offer = try await Offer.read(at: Offer.node, of: domain, in: store)
        var count: UInt32 = 0
        do {
            let mapping = try handles.grants.map([offer.reference], of: domain)
            let channel = try handles.events.bindInterdomain(to: offer.port, of: domain)
            while try answers(count &+ 1, handles.events, mapping, channel) {
                count &+= 1
                if count % 100 == 0 { Terminal.output.line("\(count) answers") }
            }
            try channel.close()
            try mapping.close()
        }
        let isThere = try await Reply.boolean(store.perform(.isDomainIntroduced(domain)))
        Terminal.output.line(
            "ended: no answer within \(patience) ms after \(count) answers, and \(domain) is "
                + (isThere ? "there" : "gone") + "; \(handles.grants.accounts.total)")
        try await Task.sleep(for: .seconds(600))
    }

    private func answers(
        _ number: UInt32, _ events: EventChannels, _ mapping: borrowing GrantMapping,
        _ channel: borrowing EventChannel
    ) throws -> Bool {
        mapping.store(Offer.bytes(of: number), at: Offer.question)
        try channel.notify()
        let deadline = Deadline.after(.milliseconds(patience))
        while let event = try events.wait(until: deadline) {
            try event.unmask()
            if mapping.bytes(at: Offer.answer, count: 4) == Offer.bytes(of: number) { return true }
        }
        return false
    }
}

/// A page and a port that a guest offers to dom0, by a node of its own.
struct Offer {
    /// Where the numbers are in the page.
    static let question = 0
    static let answer = 64

    let reference: GrantReference
    let port: EventPort

    static func bytes(of number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    static let node: StorePath = "data/lab/offer"

    func write(at node: StorePath = node, in store: StoreClient) async throws {
        try await store.write(node, "\(reference.rawValue) \(port.rawValue)")
    }

    /// Waits for a domain's offer.
    ///
    /// - Parameter node: below the domain's home.
    static func read(
        at node: StorePath, of domain: DomainID, in store: StoreClient
    ) async throws -> Offer {
        let node = try StorePath.home(of: domain).appending(node)
        let deadline = Deadline.after(.seconds(60))
        while try await !store.exists(node) {
            guard !deadline.hasPassed else {
                throw ValidationError("\(domain) has made no offer at \(node)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        let numbers = try await store.readString(node).split(separator: " ").compactMap {
            UInt32($0)
        }
        guard numbers.count == 2 else { throw ValidationError("\(node) is no offer") }
        return Offer(reference: GrantReference(numbers[0]), port: EventPort(numbers[1]))
    }
}
