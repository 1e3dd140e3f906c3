//! What each type of event says, as data.
//!
//! `{user}` and `{channel}` are who did it and where; `{path}` is a value of the inner event, also
//! a list; `{@path}`, `{#path}` and `{&path}` are the user, the conversation and the group of that
//! id. What stands in brackets is left out where something in it is missing.

/// How much of an event is said besides its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// The facts that every event has.
    Facts,
    /// An outline of the inner event as well.
    Outline,
    /// An outline of this part of it as well.
    Inside(&'static str),
}

use Beside::{Facts, Inside, Outline};

/// The sentence of a type, or of `type.subtype`.
pub(super) fn sentence(kind: &str, subtype: Option<&str>) -> Option<(&'static str, Beside)> {
    let of = |name: &str| {
        let at = SENTENCES.iter().find(|(known, ..)| *known == name)?;
        Some((at.1, at.2))
    };
    let precise = subtype.and_then(|subtype| of(&format!("{kind}.{subtype}")));
    precise.or_else(|| of(kind))
}

const SENTENCES: &[(&str, &str, Beside)] = &[
    // Messages.
    ("app_mention", "{user} mentioned the app in {channel}", Facts),
    ("app_mention.reply", "{user} mentioned the app in a thread in {channel}", Facts),
    ("message", "{user} wrote in {channel}", Facts),
    ("message.reply", "{user} replied in a thread in {channel}", Facts),
    ("message.me_message", "{user} said of themselves in {channel}", Facts),
    ("message.file_share", "{user} shared a file in {channel}", Facts),
    ("message.thread_broadcast", "{user} replied in a thread and sent it to {channel} too", Facts),
    (
        "message.message_changed",
        "a message of {user} in {channel} was edited[ by {@message.edited.user}]",
        Facts,
    ),
    ("message.message_deleted", "a message of {user} in {channel} was deleted", Facts),
    ("message.message_replied", "a message of {user} in {channel} has a reply", Facts),
    ("message.tombstone", "a message in {channel} was deleted", Facts),
    ("message.channel_join", "{user} joined {channel}[, invited by {@inviter}]", Facts),
    ("message.group_join", "{user} joined {channel}[, invited by {@inviter}]", Facts),
    ("message.channel_leave", "{user} left {channel}", Facts),
    ("message.group_leave", "{user} left {channel}", Facts),
    ("message.channel_topic", "{user} set the topic of {channel}[ to {topic}]", Facts),
    ("message.group_topic", "{user} set the topic of {channel}[ to {topic}]", Facts),
    ("message.channel_purpose", "{user} set the purpose of {channel}[ to {purpose}]", Facts),
    ("message.group_purpose", "{user} set the purpose of {channel}[ to {purpose}]", Facts),
    ("message.channel_name", "{user} renamed {channel}[ from {old_name}][ to {name}]", Facts),
    ("message.group_name", "{user} renamed {channel}[ from {old_name}][ to {name}]", Facts),
    ("message.channel_archive", "{user} archived {channel}", Facts),
    ("message.group_archive", "{user} archived {channel}", Facts),
    ("message.channel_unarchive", "{user} took {channel} out of the archive", Facts),
    ("message.group_unarchive", "{user} took {channel} out of the archive", Facts),
    ("message.channel_convert_to_private", "{user} made {channel} private", Facts),
    ("message.channel_convert_to_public", "{user} made {channel} public", Facts),
    ("message.channel_posting_permissions", "{user} changed who may post in {channel}", Facts),
    ("message.ekm_access_denied", "a message in {channel} cannot be read: its key is gone", Facts),
    ("message.reminder_add", "{user} set a reminder in {channel}", Facts),
    ("message.bot_add", "{user} added an app to {channel}", Facts),
    ("message.bot_remove", "{user} removed an app from {channel}", Facts),
    ("message.pinned_item", "{user} pinned something in {channel}", Facts),
    ("message.huddle_thread", "{user} started a huddle in {channel}", Facts),
    (
        "message_metadata_posted",
        "a message with metadata was posted in {channel}",
        Inside("metadata"),
    ),
    (
        "message_metadata_updated",
        "the metadata of a message in {channel} changed",
        Inside("metadata"),
    ),
    ("message_metadata_deleted", "the metadata of a message in {channel} was deleted", Outline),
    // What people do with messages.
    (
        "reaction_added",
        "{user} reacted with :{reaction}: to something[ of {@item_user}][ in {channel}]",
        Facts,
    ),
    (
        "reaction_removed",
        "{user} took back :{reaction}: from something[ of {@item_user}][ in {channel}]",
        Facts,
    ),
    ("pin_added", "{user} pinned something in {channel}", Facts),
    ("pin_removed", "{user} unpinned something in {channel}", Facts),
    ("star_added", "{user} saved something[ in {channel}]", Facts),
    ("star_removed", "{user} no longer saves something[ in {channel}]", Facts),
    ("link_shared", "{user} shared a link[ to {links.0.url}][ in {channel}]", Inside("links")),
    // The app's own places.
    ("app_home_opened", "{user} opened the app's home[ ({tab})]", Facts),
    ("app_context_changed", "{user} looks at something else beside the app", Inside("context")),
    ("assistant_thread_started", "{user} began a thread with the assistant", Facts),
    (
        "assistant_thread_context_changed",
        "{user} looks at something else beside a thread with the assistant",
        Inside("assistant_thread.context"),
    ),
    ("agent_session_stopped", "{user} stopped the agent in {channel}", Facts),
    ("agent_session_title_changed", "a session of the agent is called {title}", Facts),
    (
        "function_executed",
        "a workflow asks the app to run {function.callback_id}",
        Inside("inputs"),
    ),
    (
        "workflow_step_execute",
        "a workflow asks the app to run a step",
        Inside("workflow_step.inputs"),
    ),
    ("workflow_published", "a workflow with a step of the app was published", Outline),
    ("workflow_unpublished", "a workflow with a step of the app was unpublished", Outline),
    ("workflow_deleted", "a workflow with a step of the app was deleted", Outline),
    ("workflow_step_deleted", "a step of the app was removed from a workflow", Outline),
    ("entity_details_requested", "{user} asks for details of {entity_url}", Outline),
    // Conversations.
    ("member_joined_channel", "{user} joined {channel}[, invited by {@inviter}]", Facts),
    ("member_left_channel", "{user} left {channel}", Facts),
    ("channel_created", "{user} created {channel}", Facts),
    ("channel_rename", "{channel} has another name[: {channel.name}]", Facts),
    ("group_rename", "{channel} has another name[: {channel.name}]", Facts),
    ("channel_archive", "{user} archived {channel}", Facts),
    ("channel_unarchive", "{user} took {channel} out of the archive", Facts),
    ("group_archive", "{user} archived {channel}", Facts),
    ("group_unarchive", "{user} took {channel} out of the archive", Facts),
    ("channel_left", "the app left {channel}", Facts),
    ("group_left", "the app left {channel}", Facts),
    ("channel_deleted", "{channel} was deleted[ by {@actor_id}]", Facts),
    ("group_deleted", "{channel} was deleted[ by {@actor_id}]", Facts),
    ("channel_shared", "{channel} is shared with workspace {connected_team_id}", Facts),
    (
        "channel_unshared",
        "{channel} is no longer shared with workspace {previously_connected_team_id}",
        Facts,
    ),
    ("channel_id_changed", "{#old_channel_id} is {channel} from here on", Facts),
    ("channel_history_changed", "messages of a conversation changed up to {latest}", Facts),
    ("group_history_changed", "messages of a conversation changed up to {latest}", Facts),
    ("im_history_changed", "messages of a conversation changed up to {latest}", Facts),
    ("im_created", "a direct message with {user} was created", Facts),
    ("im_open", "{user} opened a direct message", Facts),
    ("im_close", "{user} closed a direct message", Facts),
    ("group_open", "{user} opened {channel}", Facts),
    ("group_close", "{user} closed {channel}", Facts),
    ("call_rejected", "{user} rejected a call[ in {channel}]", Facts),
    (
        "shared_channel_invite_received",
        "the app was invited to share {channel}[ by {@invite.inviting_user.id}]",
        Facts,
    ),
    ("shared_channel_invite_accepted", "{user} accepted an invitation to share {channel}", Facts),
    ("shared_channel_invite_approved", "{user} approved an invitation to share {channel}", Facts),
    ("shared_channel_invite_declined", "{user} declined an invitation to share {channel}", Facts),
    ("shared_channel_invite_requested", "{user} asks to share {channel}", Outline),
    // Files.
    ("file_shared", "{user} shared the file {file_id}[ in {channel}]", Facts),
    ("file_unshared", "{user} no longer shares the file {file_id}[ in {channel}]", Facts),
    ("file_created", "{user} added the file {file_id}", Facts),
    ("file_public", "{user} made the file {file_id} public", Facts),
    ("file_change", "the file {file_id} changed", Facts),
    ("file_deleted", "the file {file_id} was deleted", Facts),
    ("file_comment_deleted", "a comment on the file {file_id} was deleted", Facts),
    // People and groups.
    ("team_join", "{user} joined the workspace", Facts),
    ("user_change", "the profile of {user} changed", Facts),
    ("user_profile_changed", "the profile of {user} changed", Facts),
    ("user_status_changed", "the status of {user} changed[ to {user.profile.status_text}]", Facts),
    ("user_huddle_changed", "{user} joined or left a huddle", Facts),
    ("dnd_updated", "{user} changed when not to be disturbed", Facts),
    ("dnd_updated_user", "{user} changed when not to be disturbed", Facts),
    ("subteam_created", "{user} created the group {&subteam.id}[ ({subteam.name})]", Facts),
    ("subteam_updated", "{user} changed the group {&subteam.id}[ ({subteam.name})]", Facts),
    (
        "subteam_members_changed",
        "the group {&subteam_id} changed[: {added_users} joined][: {removed_users} left]",
        Facts,
    ),
    ("subteam_self_added", "the app joined the group {&subteam_id}", Facts),
    ("subteam_self_removed", "the app left the group {&subteam_id}", Facts),
    ("invite_requested", "{user} asks to invite somebody", Outline),
    // The app and the workspace.
    ("app_requested", "{user} asks for the app {app_request.app.name}", Outline),
    ("app_installed", "{user} installed the app {app_name}", Outline),
    ("app_uninstalled", "the app was uninstalled", Facts),
    ("app_uninstalled_team", "{user} uninstalled the app from a workspace", Outline),
    ("app_deleted", "an app was deleted", Outline),
    ("tokens_revoked", "tokens of the app were revoked", Inside("tokens")),
    ("team_access_granted", "the app may work in {team_ids}", Facts),
    ("team_access_revoked", "the app may no longer work in {team_ids}", Facts),
    ("team_rename", "the workspace is called {name}", Facts),
    ("team_domain_change", "the address of the workspace is {url}", Facts),
    ("email_domain_changed", "the mail domain of the workspace is {email_domain}", Facts),
    ("emoji_changed", "the custom emoji of the workspace changed", Outline),
    ("commands_changed", "the commands of the workspace changed", Facts),
    ("grid_migration_started", "the workspace moves to an organization", Facts),
    ("grid_migration_finished", "the workspace moved to an organization", Facts),
    ("external_org_migration_started", "another organization's workspaces move", Outline),
    ("external_org_migration_finished", "another organization's workspaces moved", Outline),
    ("scope_granted", "the app got permissions", Outline),
    ("scope_denied", "the app was denied permissions", Outline),
    ("resources_added", "the app got resources", Outline),
    ("resources_removed", "the app lost resources", Outline),
    ("user_resource_granted", "{user} granted the app permissions", Outline),
    ("user_resource_denied", "{user} denied the app permissions", Outline),
    ("user_resource_removed", "{user} took permissions from the app", Outline),
    (
        "app_rate_limited",
        "events are held back: the app gets more than 30000 an hour in this workspace",
        Facts,
    ),
    // What people do with the app.
    ("slash_command", "{user} ran {command} in {channel}", Facts),
    (
        "block_actions",
        "{user} used {actions.0.action_id}[ ({actions.0.text.text})][ in {channel}]",
        Facts,
    ),
    ("interactive_message", "{user} used {actions.0.name}[ in {channel}]", Facts),
    ("view_submission", "{user} submitted the form {view.callback_id}", Facts),
    ("view_closed", "{user} closed the form {view.callback_id}", Facts),
    ("dialog_submission", "{user} submitted the form {callback_id}", Facts),
    ("dialog_cancellation", "{user} closed the form {callback_id}", Facts),
    ("shortcut", "{user} used the shortcut {callback_id}", Facts),
    ("message_action", "{user} used the shortcut {callback_id} on a message in {channel}", Facts),
    ("workflow_step_edit", "{user} edits the workflow step {callback_id}", Outline),
    ("unreadable", "sent something that cannot be read", Facts),
];
