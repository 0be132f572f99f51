import XenCore
import XenStoreWire

/// A way in which our server answers other than xenstored, on purpose.
struct StoreDifference: Sendable {
    /// What to do with a history once it has come to it.
    enum Consequence: Sendable {
        /// The stores are still alike.
        case goOn
        /// They hold different things from here on: the history ends.
        case end
    }

    let reason: String
    let consequence: Consequence
    private let isIt: @Sendable (DifferingStep) -> Bool

    init(
        _ reason: String, then consequence: Consequence,
        _ isIt: @escaping @Sendable (DifferingStep) -> Bool
    ) {
        self.reason = reason
        self.consequence = consequence
        self.isIt = isIt
    }

    /// The difference that explains a step; nil if none does, so that one of the servers is wrong.
    static func explaining(_ step: DifferingStep) -> StoreDifference? {
        daemonsEnd.isIt(step) ? daemonsEnd : all.first { $0.isIt(step) }
    }

    /// Not among the others since it need not be met: `errno` holds what any earlier call left there. 4.17 answers some
    /// requests that it refuses with `errno`, and not at all if that is 0, which an assertion then finds
    /// (`conn->in == NULL` in `consider_message`, tools/xenstore/xenstored_core.c).
    private static let daemonsEnd = StoreDifference(
        "What is refused is told so; xenstored 4.17 may end by an assertion instead.", then: .end
    ) { step in
        step.ours.refusal != nil && !step.theirs.isEmpty
            && step.theirs.allSatisfy { $0.what == .closed }
    }

    /// All of them; docs/store-differences.md tells them to users.
    static let all: [StoreDifference] = [
        StoreDifference(
            "Permissions without their last NUL are EINVAL; xenstored leaves out the last, or fails later.",
            then: .end
        ) { $0.step.operation == .setPermissions && $0.step.payload.last != 0 },
        StoreDifference(
            "What has not the form that the protocol asks for is EINVAL; xenstored answers what an earlier call left in errno.",
            then: .goOn
        ) { !$0.step.isWellFormed && $0.ours.refusal != nil && $0.theirs.refusal != nil },
        StoreDifference(
            "Permissions of special paths can be read, and watches are told when they change, as with current Xen; not with 4.17.",
            then: .goOn
        ) { step in
            step.ours.refusal == nil
                && (step.step.operation == .getPermissions && step.theirs.refusal == .invalid
                    || step.ours.withoutSpecialEvents == step.theirs)
        },
        StoreDifference(
            "WATCH takes a depth, as with current Xen; not with 4.17, where the third string is one too many.",
            then: .end
        ) { step in
            step.step.operation == .watch && step.step.payload.count { $0 == 0 } == 3
                && step.ours.refusal != .invalid && step.theirs.refusal == .invalid
        },
        StoreDifference(
            "An owner may be a domain that is still to come; in xenstored it is ENOENT unless Xen knows it, before all else.",
            then: .end
        ) { $0.step.namesUnknownOwner && $0.theirs.refusal == .noEntry },
        StoreDifference(
            "A node's size is its value and its children's names; in xenstored its permissions and a header, too.",
            then: .end
        ) {
            $0.step.connection.domain != .dom0 && $0.step.isChange && $0.ours.refusal == nil
                && $0.theirs.refusal == .noSpace
        },
        StoreDifference(
            "A part of a directory begins with a whole name; in xenstored at any byte.", then: .goOn
        ) { $0.step.operation == .directoryPart && $0.step.payload.hasSuffix("2|") },
        StoreDifference(
            "A transaction sees one moment of the tree; in xenstored each node as it is when first used.",
            then: .goOn
        ) { $0.isBehind && !$0.isEnd && ($0.isOfNow || $0.isOfBetween) },
        StoreDifference(
            "Two transactions may change different children of one node; in xenstored a child's change is its parent's, too.",
            then: .end
        ) {
            $0.isEnd && $0.ours.refusal == nil && $0.theirs.refusal == .again
                && $0.isBehind && $0.transaction?.isOverlapping == false
        },
        StoreDifference(
            "A commit tells what was removed with a node above it, and made again, in the order of making; xenstored of removal.",
            then: .goOn
        ) {
            $0.isEnd && $0.hasRemoved
                && $0.ours.map(\.description).sorted() == $0.theirs.map(\.description).sorted()
        },
        StoreDifference(
            "A change to a node that a transaction names later is a conflict; not in xenstored.",
            then: .end
        ) {
            $0.isEnd && $0.ours.refusal == .again && $0.theirs.refusal == nil
                && $0.transaction?.isRelated == true
        },
    ]
}

/// A step to which the two servers have answered differently.
struct DifferingStep: Sendable {
    let step: StoreStep
    let ours: [Heard]
    let theirs: [Heard]
    /// Of the open transaction; nil outside of one.
    let transaction: OpenTransactions.Record?
    /// Whether that transaction has removed anything.
    let hasRemoved: Bool
    /// How our server would have answered in a transaction that had just begun, and had changed the same.
    let answerByNow: Heard.What?
}

extension DifferingStep {
    var isEnd: Bool { step.operation == .transactionEnd }

    /// Whether theirs is the answer of the tree as it is now.
    var isOfNow: Bool { theirs.reply == answerByNow }

    /// Whether theirs may be of any moment since the transaction began, or of several: it has named the node before, or
    /// one above or below it, and others have changed one of those.
    var isOfBetween: Bool {
        guard let path = step.path, let transaction else { return false }
        func isRelated(_ other: StorePath) -> Bool { other.isWithin(path) || path.isWithin(other) }
        return transaction.named.contains(where: isRelated)
            && transaction.changedOutside.contains(where: isRelated)
    }

    /// Whether others have changed anything since the transaction began.
    var isBehind: Bool { transaction?.changedOutside.isEmpty == false }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ text: String) -> Bool {
        suffix(text.utf8.count).elementsEqual(Script.octets(text))
    }
}

extension [Heard] {
    fileprivate var withoutSpecialEvents: [Heard] {
        filter {
            if case .event(let payload) = $0.what {
                payload.first != UInt8(ascii: "@")
            } else {
                true
            }
        }
    }

    /// The reply's error, if it is one.
    fileprivate var refusal: StoreErrorName? {
        guard case .refusal(let name) = reply else { return nil }
        return name
    }
}
