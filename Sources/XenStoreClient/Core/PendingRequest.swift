import XenCore
import XenStoreWire

/// The transaction that a request belongs to, and the connection that this transaction lives on.
struct TransactionScope: Hashable, Sendable {
    let id: TransactionID
    let epoch: Epoch

    /// Outside any transaction.
    static let none = TransactionScope(id: .none, epoch: .none)
}

extension ClientCore.Answer {
    /// The transaction that has been started. Throws `.protocolViolation` when the payload names none.
    var transaction: TransactionScope {
        get throws(StoreError) {
            TransactionScope(id: try Reply.transaction(payload), epoch: epoch)
        }
    }
}

/// A request that has no reply yet.
struct PendingRequest: Sendable {
    /// Who wants to know.
    enum Purpose: Hashable, Sendable {
        case caller
        /// Nobody, from the start: it only tidies up.
        case nobody
        /// A caller, and this watch.
        case registration(WatchID)
        /// This watch, which is set again in a new epoch.
        case restoration(WatchID)
    }

    /// How far it has come in the current epoch.
    enum Stage: Hashable, Sendable {
        /// Its caller is not ready yet to be told of its end.
        case reserved
        case queued
        /// Among the bytes for the transport, from this offset of the epoch's stream on.
        case encoded(at: UInt64)
    }

    let request: Request
    let scope: TransactionScope
    /// Until when the reply is waited for; of a withdrawn one, until when the kernel's device may owe it.
    var deadline: Deadline
    let purpose: Purpose
    var stage = Stage.reserved
    /// Nobody waits for the reply any more.
    var isWithdrawn = false

    /// What becomes of a request when its connection is lost.
    enum Fate: Sendable {
        case sentAgain
        case forgotten
        case failed(StoreError)
    }

    /// - Parameters:
    ///   - handedOver: how many bytes of the epoch's stream the transport has taken.
    ///   - reason: why the connection was lost.
    func fate(handedOver: UInt64, _ reason: StoreError) -> Fate {
        if isWithdrawn { return .forgotten }
        switch purpose {
        case .nobody, .restoration: return .forgotten
        case .caller, .registration: break
        }
        let wasSent = wasSent(handedOver: handedOver)
        if wasSent, !request.changesNothing, scope == .none || request.isCommit {
            return .failed(.outcomeUnknown(request, reason))
        }
        guard scope == .none else { return .failed(.transactionLost(request, reason)) }
        return .sentAgain
    }

    /// Whether the transport has taken a byte of it.
    func wasSent(handedOver: UInt64) -> Bool {
        if case .encoded(let start) = stage { start < handedOver } else { false }
    }
}
