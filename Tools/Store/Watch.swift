import ArgumentParser
import ToolSupport
import XenCore
import XenStoreClient
import XenSystem

struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the path of each change at and below nodes.",
        discussion: """
            The first line for each node comes at once and means that it is watched. With --count the status is 0 \
            once there were as many events, 75 if --timeout was over before; without, --timeout ends it with 0.
            """)

    @OptionGroup var client: ClientOptions

    @Option(name: [.customShort("n"), .long], help: "End after so many events.")
    var count: Int?

    @Option(
        name: .shortAndLong,
        help: "Tell of changes so many levels below the node at most. Not every server can.")
    var depth: UInt32?

    @Flag(help: "Print the value, too, as it is once the event has come.")
    var values = false

    @Argument(
        help: ArgumentHelp(
            "The nodes, @introduceDomain or @releaseDomain.", valueName: "path"),
        transform: pathArgument)
    var paths: [StorePath]

    func validate() throws {
        guard count ?? 1 > 0 else {
            throw ValidationError("--count is 1 or more, not \(count ?? 0)")
        }
    }

    func run() async throws {
        let deadline = client.limit.map(Deadline.after)
        try await client.withStore(requestTimeout: .seconds(5)) { store in
            do { try await follow(store, until: deadline) } catch let error as StoreError {
                let isOver = error.code == .timedOut && deadline?.hasPassed == true
                guard isOver, count == nil else { throw error }
            }
        }
    }

    /// Prints what the watches tell, one event at a time of each, until there were enough.
    private func follow(_ store: StoreClient, until deadline: Deadline?) async throws {
        var watches: [StoreWatch] = []
        for path in paths { watches.append(try await store.watch(path, depth: depth)) }
        try await withThrowingTaskGroup(of: (StoreWatch, WatchEvent).self) { group in
            func take(_ watch: StoreWatch) {
                group.addTask { (watch, try await watch.next(until: deadline)) }
            }
            watches.forEach(take)
            var left = count ?? .max
            while left > 0, let (watch, event) = try await group.next() {
                try await show(event, of: watch.path, store)
                left -= 1
                take(watch)
            }
            group.cancelAll()
        }
    }

    private func show(_ event: WatchEvent, of path: StorePath, _ store: StoreClient) async throws {
        var shown = ShownEvent(event, of: path)
        if values { try await shown.readValue(from: store) }
        try Terminal.output.print(client.json ? shown.json.line : shown.text)
    }
}
