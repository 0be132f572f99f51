import ArgumentParser
import Synchronization
import XenCore
import XenEvtchn
import XenGrant
import XenStoreClient
import XenSystem

/// `xen-lab-agent answer`: offers a page and a port to dom0 and answers its `call`s, also after a resume.
struct AnswerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Answers dom0's `call`.")

    @Option(help: "Ends after a resume and that many more answers; without it, never.")
    var afterResume: Int?

    func run() async throws {
        let handles = try Handles()
        let store = try StoreClient.connect()
        let resumptions = try await store.watchResumption()
        let first = try Answering(handles.grants, handles.events)
        try await first.offer.write(in: store)
        try await resumptions.next()
        let events = try handles.events.afterResume()
        try await first.end(ringing: .stale)
        let second = try Answering(handles.grants, events)
        try await second.offer.write(in: store)
        while afterResume.map({ second.count < $0 }) ?? true {
            try await Task.sleep(for: .milliseconds(20))
        }
        Terminal.output.line("\(first.count) answers, stale, \(second.count) answers more")
        try await second.end(ringing: nil)
    }
}

/// A page, a port, and a thread that answers until it is ended or the handle is.
private final class Answering: Sendable {
    private let share: Mutex<GrantShare?>
    private let channel: Mutex<EventChannel?>
    private let answered = Atomic(0)
    private let isEnding = Atomic(false)
    private let ended = Completion()
    private let events: EventChannels
    let offer: Offer

    init(_ grants: GrantTable, _ events: EventChannels) throws {
        let share = try grants.share(pageCount: 1, with: .dom0)
        let channel = try events.bindUnbound(for: .dom0)
        offer = Offer(reference: share.references[0], port: channel.port)
        self.share = Mutex(share)
        self.channel = Mutex(channel)
        self.events = events
        let thread = try PlatformThread { [self] in
            try? answer()
            ended.complete()
        }
        _ = consume thread
    }

    var count: Int { answered.load(ordering: .relaxed) }

    private func answer() throws {
        var last: [UInt8] = []
        while !isEnding.load(ordering: .acquiring) {
            guard let event = try events.wait(until: .after(.milliseconds(200))) else { continue }
            try event.unmask()
            share.withLock { share in
                guard let number = share?.bytes(at: Offer.question, count: 4), number != last else {
                    return
                }
                share?.store(number, at: Offer.answer)
                last = number
                answered.add(1, ordering: .relaxed)
            }
            try channel.withLock { try $0?.notify() }
        }
    }

    /// Ends the thread, and lets go of the page and the port.
    ///
    /// - Parameter expected: how ringing has to fail by then; nil for not at all.
    func end(ringing expected: EventChannelError.Code?) async throws {
        isEnding.store(true, ordering: .releasing)
        guard await ended.wait(until: .after(.seconds(10))) else {
            throw ValidationError("the thread that answers does not end")
        }
        let found = channel.withLock { channel -> EventChannelError.Code? in
            do throws(EventChannelError) {
                try channel?.notify()
                return nil
            } catch {
                return error.code
            }
        }
        guard found == expected else {
            throw ValidationError(
                "ringing: expected \(expected?.description ?? "no failure"), found "
                    + (found?.description ?? "no failure"))
        }
        // A port of another life is gone: what closing it says is the same as above.
        try? channel.withLock { $0.take() }?.close()
        try share.withLock { $0.take() }?.close()
    }
}
