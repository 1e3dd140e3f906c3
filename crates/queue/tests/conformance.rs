//! What every backend of the queue promises, run on each of them.

#![expect(clippy::expect_used, reason = "a case that cannot go on has failed")]

#[path = "conformance/bench.rs"]
#[expect(dead_code, reason = "shared with the tests of the embedded queue")]
mod bench;

#[path = "conformance/attempts.rs"]
mod attempts;
#[path = "conformance/dead_letters.rs"]
mod dead_letters;
#[path = "conformance/dedupe.rs"]
mod dedupe;
#[path = "conformance/identity.rs"]
mod identity;
#[path = "conformance/lease.rs"]
mod lease;
#[path = "conformance/list.rs"]
mod list;
#[path = "conformance/order.rs"]
mod order;
#[path = "conformance/redrive.rs"]
mod redrive;
#[path = "conformance/removing.rs"]
mod removing;
#[path = "conformance/replay.rs"]
mod replay;
#[path = "conformance/restart.rs"]
mod restart;
#[path = "conformance/settle.rs"]
mod settle;
#[path = "conformance/subscribe.rs"]
mod subscribe;
#[path = "conformance/threads.rs"]
mod threads;
#[path = "conformance/wait.rs"]
mod wait;

/// Runs each case on each backend.
macro_rules! conformance {
    ($($module:ident { $($case:ident,)* })*) => {
        conformance!(@backend memory_queue memory $($module { $($case,)* })*);
        conformance!(@backend embedded_queue embedded $($module { $($case,)* })*);
    };
    (@backend $name:ident $backend:ident $($module:ident { $($case:ident,)* })*) => {
        mod $name {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::$module::$case(crate::bench::Bench::$backend()).await;
                })*
            })*
        }
    };
}

conformance! {
    removing {
        what_is_old_goes_and_what_is_not_stays,
        an_event_received_long_ago_takes_no_young_ones_with_it,
        a_quiet_queue_is_emptied_too,
        the_oldest_go_when_there_are_too_many_bytes,
        what_was_not_settled_is_a_letter_that_outlives_its_event,
        only_wanted_events_expire,
        only_events_that_a_filter_lets_through_expire,
        letters_without_events_are_bounded_and_all_are_counted,
        a_subscription_from_the_earliest_begins_with_what_is_kept,
        an_erased_event_is_nowhere_and_says_so,
        erasing_what_is_not_there_finds_nothing,
        an_erased_event_is_delivered_to_nobody,
        a_repeat_of_an_erased_event_is_still_known,
    }
    order {
        ids_rise_in_the_order_of_acceptance,
        ids_rise_also_when_the_clock_goes_backwards,
        an_event_is_given_as_it_came,
        events_are_read_in_their_order,
        events_of_many_senders_have_one_order,
        a_call_is_stored_whole_or_not_at_all,
        an_empty_call_stores_nothing,
        a_closed_queue_takes_and_gives_nothing,
    }
    dedupe {
        a_repeat_is_answered_with_the_first,
        a_repeat_within_one_call_is_known,
        a_repeat_among_new_ones_is_answered_in_its_place,
        a_repeat_after_the_window_is_a_new_event,
        the_window_counts_from_the_newest,
        the_same_key_in_another_channel_is_another_event,
        events_without_a_key_all_count,
        repeats_that_come_together_are_stored_once,
        a_repeat_is_known_after_a_restart,
    }
    identity {
        an_event_sent_again_adds_nothing_however_late,
        another_content_under_one_id_stores_none_of_the_call,
        one_id_twice_in_a_call_is_a_repeat_or_a_conflict,
        a_time_that_is_left_out_is_not_compared,
        an_event_under_the_request_of_another_is_a_conflict,
        a_request_is_made_once_whatever_id_is_made_for_its_event,
        the_names_of_a_repeat_stay_free,
        a_conflict_is_told_at_its_place_in_the_call,
        an_event_is_found_by_the_id_of_its_application,
        the_id_of_an_erased_event_stays_its_own,
        the_id_of_a_removed_event_is_free,
    }
    list {
        a_list_is_newest_first,
        every_filter_holds_and_filters_combine,
        since_is_inclusive_and_until_exclusive,
        late_events_are_found_by_when_they_were_received,
        pages_neither_skip_nor_repeat_while_events_arrive,
        a_limit_is_kept_within_its_bounds,
        a_list_is_the_same_after_a_restart,
    }
    lease {
        events_are_leased_in_their_order_once,
        a_delivery_says_what_it_is,
        only_wanted_events_are_leased,
        only_events_with_the_wanted_keys_are_leased,
        a_lease_that_ends_comes_again_with_the_next_attempt,
        two_consumers_never_have_one_delivery,
        a_paused_subscription_leases_nothing,
        no_more_than_the_most_are_in_flight,
        leases_and_asks_are_kept_within_their_bounds,
        a_lease_left_out_lasts_as_long_as_the_subscription_says,
        subscriptions_do_not_disturb_each_other,
        rare_events_are_found_among_many,
        a_lease_of_an_unknown_subscription_is_refused,
        a_lease_takes_no_more_bytes_than_it_has_room_for,
        a_replay_takes_no_more_bytes_than_are_left,
    }
    wait {
        a_lease_waits_for_the_next_event,
        a_lease_that_waits_in_vain_is_empty,
        a_lease_waits_for_a_wait_that_ends,
        a_lease_waits_for_a_lease_that_ends,
        a_lease_waits_for_room,
        a_lease_waits_for_a_release,
        a_lease_waits_for_the_end_of_a_pause,
        a_lease_of_a_subscription_that_is_deleted_ends,
        a_lease_that_waits_ends_when_the_queue_closes,
        a_call_that_is_dropped_leaves_nothing_leased,
    }
    settle {
        what_is_acked_never_comes_again,
        settling_twice_says_so,
        answers_come_in_the_order_of_the_settlements,
        what_was_never_given_is_unknown,
        a_delivery_given_back_comes_after_its_wait,
        what_is_released_comes_at_once_and_costs_no_attempt,
        what_another_has_renewed_is_not_given_back,
        waits_grow_by_the_policy,
        an_answer_after_the_lease_is_refused,
        an_extended_lease_lasts,
        what_is_buried_is_dead,
        what_fails_too_often_is_dead,
        a_lease_that_ends_too_often_is_dead,
        settling_for_an_unknown_subscription_is_refused,
    }
    dead_letters {
        a_dead_letter_says_what_died_why_and_when,
        a_lease_that_ended_too_often_leaves_a_letter,
        dead_letters_come_in_pages_that_stay_what_they_are,
        dead_letters_are_those_of_one_subscription,
    }
    redrive {
        a_redriven_delivery_has_its_first_attempt_again,
        a_redriven_delivery_may_die_and_be_redriven_again,
        an_answer_for_an_attempt_before_the_redrive_is_late,
        what_is_not_dead_is_an_error_for_that_id_alone,
        what_is_deleted_is_forgotten,
        a_letter_whose_event_is_gone_can_be_deleted_alone,
        a_redriven_delivery_survives_a_restart,
    }
    replay {
        a_replay_gives_every_event_again_and_ends,
        a_replay_is_of_these_ids_and_no_others,
        a_replay_keeps_to_its_times_and_to_what_is_wanted,
        a_replay_by_a_filter_gives_what_fits_inside,
        live_events_go_first_and_a_replay_has_a_fourth,
        a_replay_keeps_to_its_rate,
        a_lease_that_waits_gets_what_a_replay_gives,
        a_cancelled_replay_gives_nothing_more,
        a_replay_over_nothing_is_refused,
        what_dies_in_a_replay_is_a_dead_letter_of_the_subscription,
        what_died_in_a_replay_comes_again_under_an_id_that_nothing_had,
        events_that_go_meanwhile_are_passed_over,
        a_replay_goes_with_its_subscription,
        a_paused_subscription_holds_its_replays_too,
        no_more_replays_run_than_may,
        a_replay_goes_on_after_a_restart,
    }
    subscribe {
        a_subscription_begins_where_it_is_told,
        a_change_keeps_the_place,
        a_subscription_made_again_is_another_one,
        what_cannot_be_a_subscription_is_refused,
        a_status_says_how_far_it_is,
        subscriptions_are_listed_by_name,
        an_unknown_subscription_cannot_be_deleted,
    }
    threads {
        without_order_everything_comes_and_nothing_twice,
        no_two_events_of_a_thread_are_in_flight_or_out_of_order,
        a_strict_subscription_gives_one_event_after_the_other,
        an_order_that_changes_holds_from_then_on,
        what_waits_when_the_order_changes_comes_one_after_the_other,
        a_thread_waits_for_its_retry_and_others_go_on,
        a_buried_event_lets_its_thread_go_on,
        a_thread_waits_after_a_restart_too,
        what_is_held_back_expires_and_is_erased_like_the_rest,
        a_thread_that_holds_back_many_is_bounded,
    }
    attempts {
        an_event_tells_how_it_stands_with_each_subscription,
        attempts_are_kept_with_what_was_settled,
        attempts_outlive_a_restart_and_go_with_an_erased_event,
    }
    restart {
        what_was_settled_never_comes_again,
        what_was_leased_comes_again_with_the_same_attempt,
        what_was_deferred_keeps_its_attempt_and_its_wait,
        an_ack_survives_a_restart,
        an_answer_for_what_was_never_given_is_unknown_after_a_restart,
        a_subscription_and_its_dead_letters_are_kept,
        events_that_nobody_wants_are_not_looked_at_again,
    }
}
