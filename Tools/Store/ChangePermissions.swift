import ArgumentParser
import XenStoreClient

struct ChangePermissions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chmod",
        abstract: "Replaces the permissions of a node.",
        discussion: """
            An entry is a letter, n for nothing, r for reading, w for writing, b for both, and a domain's number. \
            The first one names the owner, who may do all, and what everybody may do who has no entry: \
            'xs chmod data n3 r0 b7'.
            """)

    @OptionGroup var client: ClientOptions

    @Flag(name: .shortAndLong, help: "Change all nodes below it, too: all of them, or none.")
    var recursive = false

    @Argument(help: "The node.", transform: pathArgument)
    var path: StorePath

    @Argument(
        help: ArgumentHelp("The entries, the owner's first.", valueName: "permission"),
        transform: permissionArgument)
    var permissions: [Permission]

    func run() async throws {
        try await client.withStore { store in
            guard recursive else { return try await store.setPermissions(path, permissions) }
            try await store.withTransaction { store throws(StoreError) in
                var pending = [path]
                while let next = pending.popLast() {
                    for name in try await store.directory(next) {
                        pending.append(next.child(name))
                    }
                    try await store.setPermissions(next, permissions)
                }
            }
        }
    }
}
