//! The tailer against a model: whatever happens to files, reader and store, in whatever order, each line is delivered
//! once, from its place, and what is lost is told.
//!
//! `AUDIT_WHO_MODEL_CASES` sets the number of cases of each test. A case that fails is printed and its seed is kept in
//! `seeds`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of this is tests")]

mod action;
mod content;
mod reader;
mod verdict;
mod world;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use self::action::{Action, Setup, meddled, served, setup};
use self::world::World;

/// Cases of each test, unless `AUDIT_WHO_MODEL_CASES` says otherwise.
const CASES: u32 = 5_000;
/// Things that happen in the longest case.
const LENGTH: usize = 40;

/// What the API server, its machine and its reader do.
struct Served;
/// That, and what others do to the files.
struct Meddled;

macro_rules! machine {
    ($name:ident, $actions:expr) => {
        impl ReferenceStateMachine for $name {
            type State = Setup;
            type Transition = Action;

            fn init_state() -> BoxedStrategy<Setup> {
                setup().boxed()
            }

            fn transitions(_: &Setup) -> BoxedStrategy<Action> {
                $actions
            }

            fn apply(setup: Setup, _: &Action) -> Setup {
                setup
            }
        }

        impl StateMachineTest for $name {
            type SystemUnderTest = World;
            type Reference = Self;

            fn init_test(setup: &Setup) -> World {
                World::new(*setup)
            }

            fn apply(mut world: World, _: &Setup, action: Action) -> World {
                world.act(action);
                world
            }

            fn teardown(mut world: World, _: Setup) {
                world.drain();
                world.judge();
            }
        }
    };
}

machine!(Served, served());
machine!(Meddled, meddled());

fn config(seeds: &'static str) -> ProptestConfig {
    let cases = std::env::var("AUDIT_WHO_MODEL_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    ProptestConfig {
        cases,
        max_shrink_iters: 20_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..ProptestConfig::default()
    }
}

prop_state_machine! {
    #![proptest_config(config("tests/model/seeds/served.txt"))]
    #[test]
    fn what_the_api_server_writes_is_read_once(sequential 1..LENGTH => Served);
}

prop_state_machine! {
    #![proptest_config(config("tests/model/seeds/meddled.txt"))]
    #[test]
    fn whatever_else_is_done_to_files_is_told(sequential 1..LENGTH => Meddled);
}
