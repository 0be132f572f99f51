import Synchronization
public import XenCore
import XenSystem

/// One end of a rendezvous between two threads of a process.
public final class LocalRendezvous: Rendezvous {
    private let inbox: Inbox
    private let outbox: Inbox

    private init(inbox: Inbox, outbox: Inbox) {
        self.inbox = inbox
        self.outbox = outbox
    }

    /// Two ends: what one sends, the other receives.
    public static func pair() -> (LocalRendezvous, LocalRendezvous) {
        let (one, other) = (Inbox(), Inbox())
        return (
            LocalRendezvous(inbox: one, outbox: other), LocalRendezvous(inbox: other, outbox: one)
        )
    }

    public func send(_ text: String) {
        outbox.texts.withLock { $0.append(text) }
        outbox.signal.signal()
    }

    public func receive(until deadline: Deadline) -> String? {
        while true {
            let text = inbox.texts.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let text { return text }
            guard inbox.signal.wait(until: deadline) else {
                return inbox.texts.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            }
        }
    }

    private final class Inbox: Sendable {
        let texts = Mutex<[String]>([])
        let signal = ThreadSignal()
    }
}
